"""The shipped client with all that it sends and gets recorded, and what it would never send."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from billing_client import BillingClient, BillingError, NotLoggedIn

from tools.chaos.workload.http import Json, RecordingTransport
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.shared import SharedState, User

# How long a client waits for an answer: usually, when it is to give up soon, and when it may not.
_ANSWER_SECONDS = 4.0
_LATE_SECONDS = 0.5
PATIENT_SECONDS = 15.0
# Longer than the longest poll.
_HTTP_SECONDS = 30.0


@dataclass
class ClientModel:
    """What a client learns from replies: open bills by apartment and id, and payments made."""

    shared: SharedState
    owed: dict[str, dict[str, Json]] = field(default_factory=dict)
    paid: list[Json] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def learn(self, asked: Json, reply: Json) -> None:
        """Take a part of an answer to a request, unless something newer is known."""
        apartment, data = asked["apartment"], reply["data"]
        if reply["status"] != "done":
            return
        if asked["op"] == "payments":
            self.paid.append(asked)
            self.shared.add(self.shared.payments, data["payment_id"])
            for bill in asked["bills"]:
                self.owed.get(apartment, {}).pop(bill, None)
        elif asked["op"] == "utils" and data["version"] >= self._versions.get(apartment, 0):
            known = self.owed.get(apartment, {})
            if data["version"] != self._versions.get(apartment):
                known = {}
            self._versions[apartment] = data["version"]
            self.owed[apartment] = known | {debt["bill_id"]: debt for debt in data["debts"]}

    def choose(self, apartment: str, rng: random.Random) -> list[Json]:
        """Choose up to three bills to pay, mostly of one currency."""
        owed = list(self.owed.get(apartment, {}).values())
        if not owed:
            return []
        currency = rng.choice(owed)["currency"]
        if rng.random() < 0.95:
            owed = [one for one in owed if one["currency"] == currency]
        return rng.sample(owed, min(len(owed), rng.randint(1, 3)))


class RecordedClient:
    """A client of one user. A late one gives up soon, and polls now and then.

    Setting `halt` ends all waiting.
    """

    def __init__(
        self,
        name: str,
        user: User,
        *,
        base_url: str,
        recorder: Recorder,
        canaries: Canaries,
        shared: SharedState,
        seed: str,
        late: bool,
    ) -> None:
        self.user = user
        self.recorder = recorder
        self.model = ClientModel(shared)
        self.halt = threading.Event()
        who = {"client": name, "user": user.sub, "late": late}
        self.transport = RecordingTransport(who, recorder, canaries, self.model.learn, seed)
        self.http = httpx.Client(base_url=base_url, transport=self.transport, timeout=_HTTP_SECONDS)
        self.billing = BillingClient(base_url, http=self.http)
        self.usual_seconds = _LATE_SECONDS if late else _ANSWER_SECONDS

    def log_in(self) -> None:
        """Log in until it works, or everything is halted."""
        self.billing.timeout_seconds = PATIENT_SECONDS
        while not self.halt.is_set():
            with suppress(BillingError):
                self.billing.login(self.user.username, self.user.password)
                return
            self.halt.wait(0.3)

    def attempt(self, call: Callable[[], object]) -> None:
        """Call, and log in where that is needed; whatever the service says is recorded."""
        try:
            call()
        except NotLoggedIn:
            self.log_in()
        except BillingError:
            # It is asked again later, or not at all.
            return

    def post(
        self, path: str, *, token: str | None = None, notes: Json | None = None, **body: Any
    ) -> Json:
        """Send a request once; return the acknowledgement, which is empty when there is none."""
        headers, told = self._authorization(token), {"notes": notes or {}}
        with suppress(httpx.TransportError):
            response = self.http.post(path, json=body, headers=headers, extensions=told)
            if response.status_code == 202:
                accepted: Json = response.json()
                return accepted
        return {}

    def poll(self, path: str, user: str, wait_seconds: int = 0) -> None:
        """Fetch what lies in a queue of a user, and delete it there."""
        headers, told = self._authorization(), {"notes": {"user": user}}
        query = {"wait_seconds": wait_seconds}
        with suppress(httpx.TransportError):
            response = self.http.get(path, params=query, headers=headers, extensions=told)
            replies = response.json()["replies"] if response.status_code == 200 else []
            for reply in replies:
                self.http.delete(path, params={"receipt": reply["receipt"]}, headers=headers)
            if response.status_code == 401:
                self.log_in()

    def _authorization(self, token: str | None = None) -> dict[str, str]:
        if token is None and (session := self.billing.session) is not None:
            token = session.tokens.id_token
        return {"Authorization": token} if token else {}

    def queues(self) -> list[tuple[str, str]]:
        """Return where answers are still to come: paths to poll, each with its user."""
        asked = list(self.transport.unanswered.values())
        return sorted({(poll_path(one), one["user"]) for one in asked})


def poll_path(asked: Json) -> str:
    """Return where the answer to a request is polled."""
    place = "auth" if asked["op"] == "auth" else f"apartments/{asked['apartment']}/{asked['op']}"
    return f"/{place}/{asked['queue_name']}"
