"""A resident who also tries what is another's: apartments, bills, queue names, tokens, logins."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from uuid import uuid4

from tools.chaos.world.api import Ask, Unauthorized
from tools.chaos.world.correspondent import Person
from tools.chaos.world.resident import Resident


class Thief(Resident):
    """Behaves like others half of the time. `victims` are the people whose names are known."""

    victims: tuple[Person, ...] = ()

    def actions(self) -> Mapping[Callable[[str], None], int]:
        """Return what an honest client does, and the thefts."""
        return {
            **super().actions(),
            self._read_anothers: 6,
            self._pay_anothers: 4,
            self._poll_anothers_queue: 4,
            self._forge_a_token: 2,
            self._guess_a_password: 1,
        }

    def _read_anothers(self, _home: str) -> None:
        bill = self._board.pick(self._board.bills, self._rng)
        if bill is not None:
            op = self._rng.choice(["utils", "histories"])
            body = {"date_down": None, "date_up": None} if op == "histories" else {}
            self.line.send(self.line.ask(op, bill.apartment, body, theft=True))

    def _pay_anothers(self, home: str) -> None:
        """Pay a bill of another apartment, there or in one's own."""
        bill = self._board.pick(self._board.bills, self._rng)
        if bill is not None:
            place = self._rng.choice([home, bill.apartment])
            body = {"bills_id": [bill.bill_id]}
            self.line.send(self.line.ask("payments", place, body, key=str(uuid4()), theft=True))

    def _poll_anothers_queue(self, _home: str) -> None:
        """Look into a queue whose name was overheard, and keep whatever is there."""
        overheard = self._board.pick(self._board.queues, self._rng)
        if overheard is None or self.line.token is None:
            return
        _, apartment, queue_name = overheard
        ask = Ask("payments", self.line.person.user, queue_name, apartment)
        try:
            found = self.line.api.poll(ask, self.line.token, wait_seconds=0)
        except Unauthorized:
            return
        for reply in found or []:
            self.line.api.tell_reply(ask, reply)

    def _forge_a_token(self, _home: str) -> None:
        """Ask with one's own token that was made to name a victim."""
        overheard = self._board.pick(self._board.queues, self._rng)
        if overheard is None or self.line.token is None:
            return
        victim, apartment, queue_name = overheard
        ask = Ask("utils", victim, queue_name, apartment, notes={"forged": True})
        self.line.api.post(ask, forged(self.line.token, victim))

    def _guess_a_password(self, _home: str) -> None:
        if self.victims:
            victim = self._rng.choice(self.victims)
            body = {"username": victim.username, "password": f"Wrong-{uuid4()}-Aa1!"}
            ask = Ask("auth", victim.user, str(uuid4()), body=body, notes={"login": "wrong"})
            sent = self.line.api.post(ask, None)
            if sent.request_id is not None:
                self.line.login_reply(ask, sent.request_id)


def forged(token: str, subject: str) -> str:
    """Write another subject into a token, whose signature then is wrong."""
    head, claims, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    text = json.dumps({**content, "sub": subject}).encode()
    return ".".join([head, base64.urlsafe_b64encode(text).decode().rstrip("="), signature])
