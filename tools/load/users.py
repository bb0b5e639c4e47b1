"""Residents who use the service, each through a client of their own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from billing_client import BillingClient, BillingError, HistoryState

from tools.load.errors import LoadError
from tools.load.samples import DONE, Recording, Sample
from tools.load.wire import WatchedTransport, Witness

NO_OPEN_BILL = "no_open_bill"


@dataclass(frozen=True)
class Resident:
    """Somebody who can log in, and an apartment of theirs."""

    username: str
    password: str = field(repr=False)
    apartment_id: str = ""


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
        witness = Witness(recording.now, recording.response, recording.ticket, recording.reply)
        # httpx's limit of connections would make a queue that the service knows nothing of.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._transport = WatchedTransport(httpx.HTTPTransport(limits=limits), witness, number)
        self._http = httpx.Client(transport=self._transport)
        self.client = BillingClient(api, timeout_seconds=timeout, http=self._http)
        self.resident = resident
        self.bills: deque[Bill] = deque()
        self.receipts: dict[str, str] = {}
        self._recording = recording
        self._history = HistoryState(resident.apartment_id)
        self._lock = threading.Lock()
        self._doers: dict[str, Callable[[], object]] = {
            "login": self._login,
            "debts": lambda: self.client.debts(resident.apartment_id),
            "pay": self._pay,
            "sync": self._sync,
            "history": lambda: self.client.history(resident.apartment_id),
        }

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self._http.close()

    def warm_up(self) -> None:
        """Log in and read once, so that the reply queues are there; raises BillingError."""
        self._login()
        self.client.debts(self.resident.apartment_id)

    def find_bills(self) -> None:
        """Take the bills that the resident owes for those to pay."""
        debts = self.client.debts(self.resident.apartment_id).debts
        self.bills.extend(Bill(debt.bill_id, debt.amount.minor) for debt in debts)

    def do(self, operation: str, *, intended: float) -> None:
        """Do it and record the sample; what the service makes of it is never raised."""
        recording = self._recording
        started = recording.now()
        self._transport.begin(operation)
        outcome = self._outcome(operation)
        accepted = self._transport.accepted_at()
        recording.add(Sample(operation, intended, started, accepted, recording.now(), outcome))

    def _outcome(self, operation: str) -> str:
        try:
            self._doers[operation]()
        except BillingError as error:
            return error.code
        except _NoOpenBill:
            return NO_OPEN_BILL
        return DONE

    def _login(self) -> None:
        self.client.login(self.resident.username, self.resident.password)

    def _sync(self) -> None:
        """Fetch what came since the last time. Two threads may fetch the same."""
        self._history = self.client.sync_history(self._history)

    def _pay(self) -> None:
        with self._lock:
            if not self.bills:
                raise _NoOpenBill
            bill = self.bills.popleft()
        receipt = self.client.pay(
            self.resident.apartment_id, [bill.bill_id], expected_total_minor=bill.amount_minor
        )
        self.receipts[bill.bill_id] = receipt.payment_id

    def resume_payments(self) -> None:
        """Ask for the outcome of each payment that has none yet; raises BillingError."""
        for pending in self.client.pending_payments.all():
            receipt = self.client.resume_payment(pending)
            self.receipts[receipt.lines[0].bill_id] = receipt.payment_id


class _NoOpenBill(LoadError):
    """There is nothing left to pay."""
