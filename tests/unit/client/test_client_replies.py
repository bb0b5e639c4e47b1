"""Sorting of replies: whole answers only, from one piece, and nothing of others thrown away."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from billing_client import UnexpectedAnswer
from billing_client.clock import Deadline, SystemClock
from billing_client.fields import Fields
from billing_client.mailbox import IDLE_SECONDS, Mailbox, Mailboxes
from billing_client.replies import REQUESTS_REMEMBERED, Inbox, Reply, decode_reply
from hypothesis import given
from hypothesis import strategies as st


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
def test_an_answer_is_whole_and_of_one_piece(delivered: list[Reply]) -> None:
    inbox, taken, acknowledged = Inbox(), [], set()
    for item in delivered:
        _, again = inbox.put([item])
        acknowledged |= set(again)
        answer = inbox.take("mine")
        if answer is not None:
            taken.append(answer)
            acknowledged |= set(answer.receipts)
    (answer,) = taken
    assert len({part.answer for part in answer.replies}) == 1
    assert [part.part for part in answer.replies] == list(range(1, answer.replies[0].parts + 1))
    assert acknowledged == {r.receipt for r in delivered if r.request_id == "mine"}
    assert inbox.take("other") is not None


def test_what_is_remembered_is_bounded() -> None:
    inbox = Inbox()
    inbox.put([reply(f"request-{n}", parts=2) for n in range(REQUESTS_REMEMBERED + 1)])
    news, _ = inbox.put([reply("request-0", parts=2), reply(f"request-{REQUESTS_REMEMBERED}")])
    assert "request-0" in news


@pytest.mark.parametrize(
    "change", [{"part": 0}, {"part": 3}, {"parts": "2"}, {"request_id": None}, {"receipt": 1}]
)
def test_a_reply_that_is_none_is_rejected(change: dict[str, object]) -> None:
    raw = {"request_id": "r", "status": "done", "part": 1, "parts": 2, "receipt": "x"}
    with pytest.raises(UnexpectedAnswer):
        decode_reply(Fields.of({**raw, **change}, "reply"))


def test_a_poll_that_fails_hands_the_lead_to_the_next_thread() -> None:
    mailbox, deadline = Mailbox("queue"), Deadline.after(10, SystemClock())
    leading, may_fail, answers = threading.Event(), threading.Event(), []

    def fail() -> list[Reply]:
        leading.set()
        may_fail.wait(5)
        raise UnexpectedAnswer("this poll failed")

    def wait(request_id: str, receive: object) -> None:
        try:
            answers.append(
                mailbox.wait(
                    request_id,
                    receive=receive,  # type: ignore[arg-type]
                    acknowledge=lambda _: None,
                    progressed=lambda _: None,
                    deadline=deadline,
                )
            )
        except UnexpectedAnswer:
            answers.append(None)

    first = threading.Thread(target=wait, args=("first", fail))
    first.start()
    leading.wait(5)
    second = threading.Thread(target=wait, args=("second", lambda: [reply("second")]))
    second.start()
    may_fail.set()
    first.join(5)
    second.join(5)
    assert answers[0] is None
    assert answers[1] is not None
    assert answers[1].replies[0].request_id == "second"


@dataclass
class HandClock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_queue_is_used_again_until_it_has_rested() -> None:
    clock = HandClock()
    mailboxes = Mailboxes(clock)
    first = mailboxes.current()
    clock.sleep(IDLE_SECONDS)
    assert mailboxes.current() is first
    clock.sleep(IDLE_SECONDS + 1)
    second = mailboxes.current()
    assert second.queue_name != first.queue_name
    assert mailboxes.named(first.queue_name) is first
    mailboxes.renew()
    assert mailboxes.current() is not second
