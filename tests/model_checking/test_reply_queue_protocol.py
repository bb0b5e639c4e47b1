"""Reply queues under every interleaving of two functions that reply, the sweeper, time and SQS.

Functions and the sweeper are the shipped code. SQS deletes a queue in its own time: until it is
done it may take messages, which are lost, and create nothing of that name. Its counts may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from billing_app.adapters.reply_queues import SqsReplyQueues
from billing_app.domain.errors import Unavailable
from billing_app.ports.reply_queues import FoundQueue, ReplyAddress
from billing_app.use_cases.sweep import sweep_reply_queues
from tests.model_checking.explorer import Explored, Move, explore
from tests.model_checking.steps import Answers, Call, Script, run

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ADDRESS = ReplyAddress(UUID(int=1), UUID(int=2), timedelta(minutes=15))
GONE, RECENTLY = "QueueDoesNotExist", "QueueDeletedRecently"


class State(NamedTuple):
    """The queue's row and claim, the queue, and how far each function and the sweeper are."""

    row: str = "none"
    claimed: bool = False
    queue: str = "none"
    holds_reply: bool = False
    functions: tuple[Answers, ...] = ((), ())
    sweeper: Answers = ()

    @property
    def is_expired(self) -> bool:
        return self.row == "expired" and not self.claimed


class Port:
    """A client of SQS, the registry or the queues: every call is one of the script."""

    prefixes = ("bill-",)

    def __init__(self, script: Script) -> None:
        self._script = script

    def names(self, *, digit: str) -> list[list[str]]:
        return []

    def __getattr__(self, name: str) -> Any:
        def ask(*_: object, **__: object) -> Any:
            answer = self._script.ask(name)
            if answer in (GONE, RECENTLY):
                raise ClientError({"Error": {"Code": answer, "Message": ""}}, name)
            return {"QueueUrl": "url"} if name == "create_queue" else answer

        return ask


def reply(script: Script) -> str:
    """Send a reply as a function does that has just started."""
    port: Any = Port(script)
    queues = SqsReplyQueues(port, registry=port, prefix="bill", policy="{}", clock=lambda: NOW)
    try:
        queues.send(ADDRESS, ["{}"])
    except Unavailable:
        return "comes back"
    return "sent"


def sweep(script: Script) -> Any:
    """Sweep as shipped."""
    port: Any = Port(script)
    return sweep_reply_queues(registry=port, queues=port, now=NOW)


class Model:
    """All that can happen next; `wrong` is a rule of the protocol that is broken."""

    def __init__(self, wrong: str = "") -> None:
        self._wrong = wrong

    def explore(self) -> Explored:
        return explore(State(), self.moves)

    def moves(self, state: State) -> Iterator[Move[State]]:
        yield from self._time(state)
        for number, answers in enumerate(state.functions):
            yield from self._function(state, number, answers)
        yield from self._sweeper(state)

    def _time(self, state: State) -> Iterator[Move[State]]:
        # Two thirds of a life are longer than it takes to reply, and than a reply is kept.
        if state.row == "used" and not any(state.functions) and not state.holds_reply:
            yield Move("the queue's life ends", state._replace(row="expired"))
        if state.queue == "deleting":
            yield Move("SQS is done", state._replace(queue="none", holds_reply=False))
        if state.claimed and (self._wrong == "short claim" or self._claim_may_end(state)):
            yield Move("the claim ends", state._replace(claimed=False))
        if state.holds_reply:
            yield Move("the reply is read", state._replace(holds_reply=False))
        if state.sweeper:
            yield Move("the sweeper crashes", state._replace(sweeper=()))

    def _claim_may_end(self, state: State) -> bool:
        """A claim outlasts its DeleteQueue and the minute of SQS."""
        place = run(sweep, state.sweeper)
        deletes = isinstance(place, Call) and place.name == "delete"
        return state.queue != "deleting" and not deletes

    def _function(self, state: State, number: int, answers: Answers) -> Iterator[Move[State]]:
        place = run(reply, answers)
        if not isinstance(place, Call):
            functions = (*state.functions[:number], (), *state.functions[number + 1 :])
            yield Move(f"function {number} ends", state._replace(functions=functions))
            return
        for answer, then, broken in self._to_function(place.name, state):
            place_then = (*answers, answer)
            functions = (*state.functions[:number], place_then, *state.functions[number + 1 :])
            told = f"function {number}: {place.name} {answer}"
            yield Move(told, then._replace(functions=functions), broken)

    def _to_function(self, call: str, state: State) -> Iterator[tuple[Any, State, str | None]]:
        if call == "register_reply_queue":
            if state.claimed and self._wrong != "claims ignored":
                yield timedelta(seconds=1), state, None
            else:
                yield None, state._replace(row="used", claimed=False), None
        elif call == "create_queue" and state.queue != "deleting":
            yield "url", state._replace(queue="there"), None
        elif call == "create_queue":
            yield RECENTLY, state, None
            yield "url", state, None
        elif state.queue == "there":
            yield "sent", state._replace(holds_reply=True), None
        else:
            yield GONE, state, None
            if state.queue == "deleting":
                yield "sent", state, "I5: a reply was sent to a queue that is being deleted"

    def _sweeper(self, state: State) -> Iterator[Move[State]]:
        place = run(sweep, state.sweeper)
        if not isinstance(place, Call):
            yield Move("the sweep ends", state._replace(sweeper=()))
            return
        for answer, then, broken in self._to_sweeper(place.name, state):
            told = f"sweeper: {place.name} {answer}"
            yield Move(told, then._replace(sweeper=(*state.sweeper, answer)), broken)

    def _to_sweeper(self, call: str, state: State) -> Iterator[tuple[Any, State, str | None]]:
        if call == "expired_reply_queues":
            yield ("queue",) if state.is_expired else (), state, None
        elif call == "find":
            if state.queue != "there":
                yield None, state, None
            if state.queue != "none":
                yield FoundQueue("url", is_empty=True), state, None
                yield FoundQueue("url", is_empty=False), state, None
        elif call == "claim_reply_queue":
            won = state.row == "expired" or self._wrong == "registrations ignored"
            yield won, state._replace(claimed=state.claimed or won), None
        elif call == "delete":
            lost = state.queue == "there" and state.holds_reply
            queue = "deleting" if state.queue == "there" else state.queue
            yield None, state._replace(queue=queue), "I5: a reply was deleted" if lost else None
        elif call == "forget_reply_queue":
            yield None, state._replace(row="none") if state.is_expired else state, None
        else:
            # The queue is put off, or none is adopted.
            held = call == "register_reply_queue" and not state.claimed
            yield None, state._replace(row="used") if held else state, None


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_no_reply_is_sent_to_a_queue_that_is_being_deleted() -> None:
    checked = Model().explore()
    assert not checked.counterexample, str(checked)
    assert checked.states > 500
    assert {"SQS is done", "sweeper: delete None", "function 1: send_message sent"} <= set(
        checked.moves
    )


@pytest.mark.parametrize("wrong", ["claims ignored", "registrations ignored", "short claim"])
def test_without_one_of_its_rules_the_protocol_loses_replies(wrong: str) -> None:
    assert Model(wrong).explore().counterexample[-1].startswith("I5: ")
