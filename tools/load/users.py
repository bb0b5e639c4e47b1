"""Residents who use the service, each through a client of their own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from billing_client import (
    BillingClient,
    BillingError,
    HistoryState,
    PendingRequest,
    Receipt,
    RequestRejected,
)

from tools.load.report import DONE, Recording, Sample

# What the path of each operation ends with.
_PATHS = {"login": "auth", "debts": "utils", "pay": "payments", "sync": "histories"}
# A limit of connections would be a queue that the service knows nothing of.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


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
    """One resident at their client. Threads may share a user.

    `pending` are requests whose answers nobody waited for, `receipts` the payments by bill.
    """

    def __init__(
        self, resident: Resident, recording: Recording, *, api: str, timeout: float
    ) -> None:
        self._http = httpx.Client(limits=_LIMITS, event_hooks={"response": [self._record]})
        self.client = BillingClient(api, timeout_seconds=timeout, http=self._http)
        self.resident = resident
        self.bills: deque[Bill] = deque()
        self.pending: list[PendingRequest] = []
        self.receipts: dict[str, str] = {}
        self._recording = recording
        self._history = HistoryState(resident.apartment_id)
        # A call runs in the thread that asked for it.
        self._call = threading.local()
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

    def call(self, operation: str, *, due: float) -> Sample:
        """Call an operation and record its sample; errors of the service are its outcome."""
        started = time.monotonic()
        self._call.path, self._call.accepted = _PATHS[operation], None
        outcome = DONE
        try:
            self._calls[operation]()
        except BillingError as error:
            outcome = error.code
            if error.pending:
                self.pending.append(error.pending)
        sample = Sample(operation, due, started, self._call.accepted, time.monotonic(), outcome)
        self._recording.samples.append(sample)
        return sample

    def login(self) -> None:
        """Log in anew."""
        self.client.login(self.resident.username, self.resident.password)

    def debts(self) -> list[Bill]:
        """Return what the apartment owes."""
        debts = self.client.debts(self.resident.apartment_id).debts
        return [Bill(debt.bill_id, debt.amount.minor) for debt in debts]

    def collect(self, *, seconds: float) -> list[PendingRequest]:
        """Fetch each answer that nobody waited for; returns the requests that have none.

        Args:
            seconds: How long to wait for all of them, but for each a second at least.
        """
        deadline = time.monotonic() + seconds
        return [one for one in self.pending if not self._is_answered(one, deadline)]

    def _is_answered(self, request: PendingRequest, deadline: float) -> bool:
        self.client.timeout_seconds = max(1.0, deadline - time.monotonic())
        try:
            answer = self.client.collect(request)
        except RequestRejected:
            return True
        except BillingError:
            return False
        if isinstance(answer, Receipt):
            self._keep(answer)
        return True

    def _pay(self) -> None:
        try:
            bill = self.bills.popleft()
        except IndexError:
            raise BillingError("no_open_bill", "There is nothing left to pay.") from None
        apartment, total = self.resident.apartment_id, bill.amount_minor
        self._keep(self.client.pay(apartment, [bill.bill_id], expected_total_minor=total))

    def _keep(self, receipt: Receipt) -> None:
        self.receipts |= {line.bill_id: receipt.payment_id for line in receipt.lines}

    def _sync(self) -> None:
        # Two threads of a user may fetch the same entries.
        self._history = self.client.sync_history(self._history)

    def _record(self, response: httpx.Response) -> None:
        """Record a response, and when this thread's operation was first accepted."""
        request, call = response.request, self._call
        self._recording.responses.append(f"{request.method} {response.status_code}")
        # The client may renew its tokens in between, which is not what was called.
        called = request.url.path.rpartition("/")[2] == getattr(call, "path", None)
        if response.status_code == 202 and called and call.accepted is None:
            call.accepted = time.monotonic()
