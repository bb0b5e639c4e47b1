"""Residents who use the service, each through a client of their own."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from billing_client import BillingClient, BillingError, HistoryState

from tools.load.recording import DONE, Accepted, Recording, Sample

# What the path of each operation ends with.
_PATHS = {"login": "auth", "debts": "utils", "pay": "payments", "sync": "histories"}


@dataclass(frozen=True)
class Resident:
    """A login and an apartment."""

    username: str
    password: str = field(repr=False)
    apartment_id: str


@dataclass(frozen=True)
class Bill:
    """An open bill."""

    bill_id: str
    amount_minor: int


class User:
    """One resident at their client. Threads may share a user."""

    def __init__(
        self, number: int, resident: Resident, recording: Recording, api: str, timeout: float
    ) -> None:
        self._transport = WatchedTransport(recording, number)
        self._http = httpx.Client(transport=self._transport)
        self.client = BillingClient(api, timeout_seconds=timeout, http=self._http)
        self.resident = resident
        self.bills: deque[Bill] = deque()
        self.receipts: dict[str, str] = {}
        self._recording = recording
        self._history = HistoryState(resident.apartment_id)
        self._calls: dict[str, Callable[[], object]] = {
            "login": self.login,
            "debts": self.debts,
            "pay": self._pay,
            "sync": self._sync,
        }

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self._http.close()

    def call(self, operation: str, *, due: float) -> None:
        """Call an operation and record its sample; errors of the service are its outcome."""
        started = self._recording.now()
        self._transport.begin(_PATHS[operation])
        try:
            self._calls[operation]()
            outcome = DONE
        except BillingError as error:
            outcome = error.code
        accepted, ended = self._transport.accepted_at, self._recording.now()
        self._recording.add(Sample(operation, due, started, accepted, ended, outcome))

    def login(self) -> None:
        """Log in anew."""
        self.client.login(self.resident.username, self.resident.password)

    def debts(self) -> list[Bill]:
        """Return what the apartment owes."""
        debts = self.client.debts(self.resident.apartment_id).debts
        return [Bill(debt.bill_id, debt.amount.minor) for debt in debts]

    def resume_payments(self) -> None:
        """Ask for the outcome of each payment that has none yet; raises BillingError."""
        for pending in self.client.pending_payments.all():
            receipt = self.client.resume_payment(pending)
            self.receipts |= {line.bill_id: receipt.payment_id for line in receipt.lines}

    def _pay(self) -> None:
        try:
            bill = self.bills.popleft()
        except IndexError:
            raise BillingError("no_open_bill", "There is nothing left to pay.") from None
        receipt = self.client.pay(
            self.resident.apartment_id, [bill.bill_id], expected_total_minor=bill.amount_minor
        )
        self.receipts[bill.bill_id] = receipt.payment_id

    def _sync(self) -> None:
        # Two threads of a user may fetch the same entries.
        self._history = self.client.sync_history(self._history)


class WatchedTransport(httpx.HTTPTransport):
    """Records statuses, accepted requests and replies; the client notices nothing."""

    def __init__(self, recording: Recording, user: int) -> None:
        # A limit of connections would be a queue that the service knows nothing of.
        super().__init__(limits=httpx.Limits(max_connections=None, max_keepalive_connections=20))
        self._recording, self._user = recording, user
        # A call runs in the thread that asked for it.
        self._of_thread = threading.local()

    def begin(self, path: str) -> None:
        """Expect this thread's next operation to be accepted at a path that ends like this."""
        self._of_thread.path, self._of_thread.accepted_at = path, None

    @property
    def accepted_at(self) -> float | None:
        """When this thread's operation was first accepted, None if it was not."""
        at: float | None = self._of_thread.accepted_at
        return at

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and record the response."""
        response = super().handle_request(request)
        self._recording.add_response(request.method, response.status_code)
        if response.status_code == 202:
            self._accept(request, _content(response))
        elif request.method == "GET" and response.status_code == 200:
            for reply in _content(response).get("replies", []):
                self._recording.add_reply(reply)
        return response

    def _accept(self, request: httpx.Request, content: dict[str, Any]) -> None:
        accepted = Accepted(content["poll"], self._user)
        self._recording.add_accepted(content["request_id"], accepted)
        # The client may renew its tokens in between, which is not what was called.
        path, mine = request.url.path.rpartition("/")[2], self._of_thread
        if getattr(mine, "path", None) == path and mine.accepted_at is None:
            mine.accepted_at = self._recording.now()


def _content(response: httpx.Response) -> dict[str, Any]:
    """Read the body, which httpx keeps for the client."""
    content: dict[str, Any] = json.loads(response.read())
    return content
