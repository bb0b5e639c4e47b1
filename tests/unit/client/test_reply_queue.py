"""Reply queues: whole replies from one answer, and other requests' replies are kept."""

from __future__ import annotations

import threading
import time

import pytest
from billing_client import UnexpectedAnswer
from billing_client.reply_queue import (
    IDLE_SECONDS,
    REQUESTS_REMEMBERED,
    Reply,
    ReplyAssembler,
    ReplyQueue,
    ReplyQueuePool,
    decode_reply,
)
from billing_client.serialization import Fields
from billing_client.transport import Deadline
from hypothesis import given
from hypothesis import strategies as st

from tests.support.billing_service import VirtualClock


def reply(
    request_id: str = "mine", *, part: int = 1, parts: int = 1, version: int = 1, receipt: str = "r"
) -> Reply:
    data: dict[str, object] = {"version": version, "part": part}
    return Reply(request_id, "done", None, "", data, part, parts, receipt)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Reply]:
    """Draw two answers to one request and one to another, in any order, some of it twice."""
    sent = [
        reply(part=part, parts=parts, version=version, receipt=f"mine-{version}-{part}")
        for version in (1, 2)
        for parts in [draw(st.integers(1, 4))]
        for part in range(1, parts + 1)
    ]
    sent += [reply("other", part=part, parts=2, receipt=f"other-{part}") for part in (1, 2)]
    again = draw(st.lists(st.sampled_from(sent), max_size=5))
    return draw(st.permutations([*sent, *again]))


@given(deliveries())
def test_a_reply_is_assembled_from_the_parts_of_one_answer(delivered: list[Reply]) -> None:
    assembler, taken, acknowledged = ReplyAssembler(), [], set()
    for item in delivered:
        _, repeated = assembler.put([item])
        acknowledged |= set(repeated)
        complete = assembler.has("mine")
        assembled = assembler.take("mine")
        assert complete == (assembled is not None)
        if assembled is not None:
            taken.append(assembled)
            acknowledged |= set(assembled.receipts)
    (assembled,) = taken
    count = assembled.parts[0].parts
    # By the data, since the assembler goes by `answer`.
    assert len({(part.data or {})["version"] for part in assembled.parts}) == 1
    assert [part.part for part in assembled.parts] == list(range(1, count + 1))
    assert acknowledged == {r.receipt for r in delivered if r.request_id == "mine"}
    assert assembler.take("other") is not None


def test_the_number_of_remembered_requests_is_limited() -> None:
    assembler = ReplyAssembler()
    assembler.put([reply(f"request-{n}", parts=2) for n in range(REQUESTS_REMEMBERED + 1)])
    news, _ = assembler.put([reply("request-0", parts=2), reply(f"request-{REQUESTS_REMEMBERED}")])
    assert "request-0" in news


@pytest.mark.parametrize(
    "change", [{"part": 0}, {"part": 3}, {"parts": "2"}, {"request_id": None}, {"receipt": 1}]
)
def test_a_malformed_reply_is_rejected(change: dict[str, object]) -> None:
    raw = {"request_id": "r", "status": "done", "part": 1, "parts": 2, "receipt": "x"}
    with pytest.raises(UnexpectedAnswer):
        decode_reply(Fields.of({**raw, **change}, "reply"))


def test_one_thread_polls_and_the_next_takes_over_after_a_failed_poll() -> None:
    queue, deadline, claims = ReplyQueue("queue"), Deadline.after(10, time), []

    def wait_for_second() -> None:
        while not queue.claim_poll("second", deadline):
            claims.append(False)
        claims.append(True)

    assert queue.claim_poll("first", deadline)
    waiting = threading.Thread(target=wait_for_second)
    waiting.start()
    # A poll that failed ends without replies.
    queue.end_poll([])
    waiting.join(5)
    assert claims[-1]


def test_a_thread_does_not_poll_for_a_reply_that_another_thread_received() -> None:
    queue, deadline = ReplyQueue("queue"), Deadline.after(10, time)
    assert queue.claim_poll("first", deadline)
    queue.end_poll([reply("second")])
    assert not queue.claim_poll("second", deadline)
    taken = queue.take("second")
    assert taken is not None
    assert taken.parts == (reply("second"),)
    assert queue.claim_poll("first", deadline)


def test_a_queue_is_reused_until_it_was_idle() -> None:
    clock = VirtualClock()
    pool = ReplyQueuePool(clock)
    first = pool.current()
    clock.sleep(IDLE_SECONDS - 1)
    assert pool.current() is first
    clock.sleep(IDLE_SECONDS)
    second = pool.current()
    assert second.queue_name != first.queue_name
    assert pool.named(first.queue_name) is first
    pool.renew()
    assert pool.current() is not second
