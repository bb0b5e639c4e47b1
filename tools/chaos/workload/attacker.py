"""A resident who also tries to get at what is another's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from uuid import uuid4

from tools.chaos.workload.client import poll_path
from tools.chaos.workload.resident import Action, Resident


class Attacker(Resident):
    """Behaves like others half of the time. `victims` are residents whose names are known."""

    victims: Sequence[Resident] = ()

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
        if bill := self.model.shared.pick(self.model.shared.bills, self._rng):
            read = self._rng.choice([self.billing.debts, self.billing.history])
            read(bill.apartment)

    def _pay_anothers(self, apartment: str) -> None:
        """Pay a bill of another apartment, there or in one's own."""
        if bill := self.model.shared.pick(self.model.shared.bills, self._rng):
            self.billing.pay(self._rng.choice([apartment, bill.apartment]), [bill.bill_id])

    def _poll_anothers_queue(self, _apartment: str) -> None:
        """Look into a queue whose name became known; what is there is recorded."""
        latest = self._rng.choice(self.victims).client.transport.latest
        if latest is not None:
            self.client.poll(poll_path({**latest, "op": "payments"}), self.client.user.sub)

    def _forge_a_token(self, _apartment: str) -> None:
        """Send a request with one's own token that was changed to name a victim."""
        victim, session = self._rng.choice(self.victims), self.billing.session
        if session is not None:
            place, notes = victim.apartments[0], {"user": victim.client.user.sub, "forged": True}
            token = forged(session.tokens.id_token, victim.client.user.sub)
            self.client.post(
                f"/apartments/{place}/utils", token=token, notes=notes, queue_name=str(uuid4())
            )

    def _guess_a_password(self, _apartment: str) -> None:
        victim = self._rng.choice(self.victims).client.user
        self.client.post(
            "/auth",
            notes={"user": victim.sub, "login": "wrong"},
            username=victim.username,
            password=f"Wrong-{uuid4()}-Aa1!",
            queue_name=str(uuid4()),
        )


def forged(token: str, subject: str) -> str:
    """Write another subject into a token, whose signature then is wrong."""
    head, claims, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    text = json.dumps({**content, "sub": subject}).encode()
    return ".".join([head, base64.urlsafe_b64encode(text).decode().rstrip("="), signature])
