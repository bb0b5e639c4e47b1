"""A resident who also tries to get at what is another's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

from tools.chaos.workload.api_client import User
from tools.chaos.workload.http import Request, Unauthorized
from tools.chaos.workload.resident import Action, Resident


class Attacker(Resident):
    """Behaves like others half of the time. `victims` are the users whose names are known."""

    victims: tuple[User, ...] = ()

    def actions(self) -> Mapping[Action, int]:
        """Return what an honest client does, and the attacks."""
        return {
            **super().actions(),
            self._read_anothers: 6,
            self._pay_anothers: 4,
            self._poll_anothers_queue: 4,
            self._forge_a_token: 2,
            self._guess_a_password: 1,
        }

    def _read_anothers(self, _apartment: str) -> None:
        if bill := self._shared.pick(self._shared.bills, self._rng):
            op = self._rng.choice(["utils", "histories"])
            body = {"date_down": None, "date_up": None} if op == "histories" else {}
            self.client.send(self.client.request(op, bill.apartment, body, attack=True))

    def _pay_anothers(self, apartment: str) -> None:
        """Pay a bill of another apartment, there or in one's own."""
        if bill := self._shared.pick(self._shared.bills, self._rng):
            place, body = (
                self._rng.choice([apartment, bill.apartment]),
                {"bills_id": [bill.bill_id]},
            )
            key = str(uuid4())
            self.client.send(self.client.request("payments", place, body, key=key, attack=True))

    def _poll_anothers_queue(self, _apartment: str) -> None:
        """Look into a queue whose name became known; what is there is recorded."""
        known = self._shared.pick(self._shared.queues, self._rng)
        if known is not None and self.client.token is not None:
            _, apartment, queue_name = known
            request = Request("payments", self.client.user.sub, queue_name, apartment)
            with suppress(Unauthorized):
                self.client.http.poll(request, self.client.token, wait_seconds=0)

    def _forge_a_token(self, _apartment: str) -> None:
        """Send a request with one's own token that was changed to name a victim."""
        known = self._shared.pick(self._shared.queues, self._rng)
        if known is not None and self.client.token is not None:
            victim, apartment, queue_name = known
            request = Request("utils", victim, queue_name, apartment, notes={"forged": True})
            self.client.http.post(request, forged(self.client.token, victim))

    def _guess_a_password(self, _apartment: str) -> None:
        if self.victims:
            victim = self._rng.choice(self.victims)
            body = {"username": victim.username, "password": f"Wrong-{uuid4()}-Aa1!"}
            notes = {"login": "wrong"}
            request = Request("auth", victim.sub, str(uuid4()), body=body, notes=notes)
            sent = self.client.http.post(request, None)
            if sent.request_id is not None:
                self.client.login_reply(request, sent.request_id)


def forged(token: str, subject: str) -> str:
    """Write another subject into a token, whose signature then is wrong."""
    head, claims, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    text = json.dumps({**content, "sub": subject}).encode()
    return ".".join([head, base64.urlsafe_b64encode(text).decode().rstrip("="), signature])
