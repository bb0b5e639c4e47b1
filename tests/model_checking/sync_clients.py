"""Two clients of the sync: one written from the documents, and the merge of the public client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from billing_client.decoding import decode_history_part
from billing_client.errors import RequestRejected
from billing_client.fields import Fields
from billing_client.history import HistoryState, sync_steps
from billing_client.replies import Inbox, Reply, decode_reply

from billing_app.domain.errors import Rejection
from tests.model_checking.sync_ledger import HOME
from tests.model_checking.sync_world import ROUNDS, Ask
from tests.support.model_client import CURSOR, NOTHING, START_AGAIN, DocClient, usable

Json = dict[str, Any]


class DocumentedClient:
    """Follows docs/api.md."""

    nothing: DocClient = DocClient()

    def syncs(self, held: DocClient, by: str, ask: Ask) -> Iterator[tuple[str, DocClient]]:
        """Lose everything from some part on, a part in the middle, or nothing in a mess."""
        held, parts = self._answer(held.may_have_asked(by), by, ask)
        for told, delivered in deliveries(parts):
            taken = usable(delivered)
            if taken:
                yield f"{len(taken)} of {len(parts)} parts {told}", held.take_all(taken)

    def finish(self, held: DocClient, by: str, ask: Ask) -> DocClient:
        """Ask until there is no more."""
        held = held.may_have_asked(by)
        for _ in range(ROUNDS):
            held, parts = self._answer(held, by if by != NOTHING else CURSOR, ask)
            held = held.take_all(parts)
            if not parts[-1]["more"]:
                return held
        raise AssertionError(f"there is still more after {ROUNDS} requests")

    def events(self, held: DocClient) -> frozenset[tuple[str, str, str]]:
        """Return the events that are held."""
        return frozenset(event.identity for event in held.events)

    def covered(self, held: DocClient) -> tuple[str, str] | None:
        """Return the frame that is held."""
        return held.covered

    def _answer(self, held: DocClient, by: str, ask: Ask) -> tuple[DocClient, list[Json]]:
        """Return the answer and what it was asked from: nothing, if that was not known."""
        try:
            return held, ask(held.asks(by))
        except Rejection as rejection:
            if rejection.code not in START_AGAIN:
                raise
        return DocClient(), ask(DocClient().asks(NOTHING))


class PublicClient:
    """The code of client/billing_client: its sorting of replies, and its merging of parts."""

    nothing: HistoryState = HistoryState(str(HOME))

    def syncs(self, held: HistoryState, by: str, ask: Ask) -> Iterator[tuple[str, HistoryState]]:
        """Die after any part of one answer, which comes in any mess."""
        for told in MESSES:
            first = _Once(ask, told)
            for number, state in enumerate(sync_steps(first, _claiming(held, by)), start=1):
                yield f"part {number} {told}", state
                if number == first.parts:
                    break

    def finish(self, held: HistoryState, by: str, ask: Ask) -> HistoryState:
        """Sync as the public client does."""
        *_, last = sync_steps(_Once(ask, "in order"), _claiming(held, by))
        return last

    def events(self, held: HistoryState) -> frozenset[tuple[str, str, str]]:
        """Return the events that are held."""
        return frozenset(event.identity for event in held.events)

    def covered(self, held: HistoryState) -> tuple[str, str] | None:
        """Return the frame that is held."""
        frame = held.covered
        return None if frame is None else (frame.date_down, frame.date_up)


class _Once:
    """Asks through an inbox of the public client; remembers how many parts the last answer had."""

    def __init__(self, ask: Ask, mess: str) -> None:
        self._ask = ask
        self._mess = mess
        self.parts = 0

    def __call__(self, state: HistoryState) -> list[Any]:
        body = {"cursor": None, **state.request_body()}
        try:
            parts = self._ask({name: body[name] for name in ("date_down", "date_up", "cursor")})
        except Rejection as rejection:
            if rejection.code in START_AGAIN:
                raise RequestRejected(rejection.code, rejection.message) from rejection
            raise
        self.parts = len(parts)
        return [decode_history_part(Fields.of(data, "part")) for data in self._sorted(parts)]

    def _sorted(self, parts: list[Json]) -> list[Any]:
        inbox = Inbox()
        for delivered in MESSES[self._mess](list(enumerate(parts, start=1))):
            inbox.put([_reply(delivered, len(parts))])
        gathered = inbox.take("r")
        assert gathered is not None
        return [reply.data for reply in gathered.replies]


def _reply(delivered: tuple[int, Json], parts: int) -> Reply:
    number, data = delivered
    message = {"request_id": "r", "status": "done", "code": None, "message": "", "data": data}
    return decode_reply(Fields.of({**message, "part": number, "parts": parts, "receipt": "x"}, "r"))


def _claiming(held: HistoryState, by: str) -> HistoryState:
    if by == NOTHING:
        return PublicClient.nothing
    return held if by == CURSOR else replace(held, cursor=None)


Numbered = list[tuple[int, Json]]
# Nothing is lost of these.
MESSES: dict[str, Callable[[Numbered], Numbered]] = {
    "in order": lambda numbered: numbered,
    "backwards": lambda numbered: numbered[::-1],
    "each twice": lambda numbered: [*numbered, *numbered],
}


def deliveries(parts: list[Json]) -> Iterator[tuple[str, Numbered]]:
    """Tell each way in which an answer may arrive."""
    numbered = list(enumerate(parts, start=1))
    for told, mess in MESSES.items():
        for length in range(1, len(parts) + 1):
            yield told, mess(numbered[:length])
    for lost in range(2, len(parts)):
        yield f"without part {lost}", [one for one in numbered if one[0] != lost]
