"""The operators' ports in memory: the same contract tests run on these and on the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.bill_lines import BillLine
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import (
    BillBatch,
    Data,
    DayOfProvider,
    LineResult,
    Login,
    OperatorLedger,
    UserDirectory,
    Violation,
)

UTILITIES = {"electricity", "gas", "water"}
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass
class Bill:
    """A bill in its newest revision, and whether it is open, settled or void."""

    bill_id: UUID
    line: BillLine
    sha256: str
    earlier: list[tuple[str, BillLine]] = field(default_factory=list)
    state: str = "open"


@dataclass
class Payment:
    """A payment and the bills that it settles."""

    payment_id: UUID
    bills: list[Bill]
    reversal: UUID | None = None


class FakeOperatorLedger(OperatorLedger):
    """Keeps the books in dictionaries."""

    def __init__(self) -> None:
        self.residents: dict[UUID, str] = {}
        self.apartments: dict[UUID, str] = {}
        self.residencies: set[tuple[UUID, UUID]] = set()
        self.providers: dict[str, str] = {}
        self.bills: dict[tuple[str, str], Bill] = {}
        self.replaced: set[UUID] = set()
        self.payments: dict[UUID, Payment] = {}
        self.grounds: list[tuple[UUID, str, str]] = []
        self.broken_rules: list[Violation] = []
        self.differing: list[DayOfProvider] = []

    def add_resident(self, *, subject: UUID, name: str) -> Data:
        if subject in self.residents:
            raise Rejection("resident_exists")
        self.residents[subject] = name
        return {"subject": str(subject), "name": name}

    def add_apartment(self, *, apartment_id: UUID, address: str) -> Data:
        if apartment_id in self.apartments:
            raise Rejection("apartment_exists")
        self.apartments[apartment_id] = address
        return {"apartment_id": str(apartment_id), "address": address}

    def grant_residency(self, *, subject: UUID, apartment_id: UUID, since: datetime) -> Data:
        self._check_residency(subject, apartment_id)
        if (subject, apartment_id) in self.residencies:
            raise Rejection("residency_exists")
        self.residencies.add((subject, apartment_id))
        return {"apartment_id": str(apartment_id), "since": since.isoformat()}

    def end_residency(self, *, subject: UUID, apartment_id: UUID) -> Data:
        self._check_residency(subject, apartment_id)
        if (subject, apartment_id) not in self.residencies:
            raise Rejection("residency_not_found")
        self.residencies.remove((subject, apartment_id))
        return {"apartment_id": str(apartment_id)}

    def add_provider(self, *, provider_id: str, name: str) -> Data:
        self.providers[provider_id] = name
        return {"provider_id": provider_id, "name": name}

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        kept = {key: replace(bill) for key, bill in self.bills.items()} if batch.dry_run else None
        results = [self._issue(line, batch.sha256, dry_run=batch.dry_run) for line in batch.lines]
        if kept is None:
            return results
        self.bills = kept
        return [
            replace(one, bill_id=None) if one.result in ("issued", "revised") else one
            for one in results
        ]

    def void_bill(self, *, bill_id: UUID, reason: str, operator: str) -> Data:
        bill = next((one for one in self.bills.values() if one.bill_id == bill_id), None)
        if bill is None:
            raise Rejection("bill_void" if bill_id in self.replaced else "bill_not_found")
        if bill.state != "open":
            raise Rejection("bill_void" if bill.state == "void" else "bill_already_paid")
        bill.state = "void"
        self.grounds.append((bill_id, reason, operator))
        return {"bill_id": str(bill_id)}

    def reverse_payment(self, *, payment_id: UUID, reason: str, operator: str) -> Data:
        payment = self.payments.get(payment_id)
        if payment is None:
            raise Rejection("payment_not_found")
        if payment.reversal:
            raise Rejection("payment_already_reversed")
        payment.reversal = uuid4()
        for bill in payment.bills:
            bill.state = "open"
        self.grounds.append((payment_id, reason, operator))
        return self._reversal_data(payment)

    def reconcile(self, *, first_day: date, last_day: date) -> Sequence[DayOfProvider]:
        if not first_day <= NOW.date() <= last_day:
            return self.differing
        sums: dict[tuple[str, str], list[int]] = {}
        for payment in self.payments.values():
            for bill in payment.bills:
                found = sums.setdefault((bill.line.provider_id, bill.line.currency), [0, 0])
                found[0] += bill.line.amount_minor
                found[1] += bill.line.amount_minor if payment.reversal else 0
        rows = [
            DayOfProvider(provider, NOW.date(), currency, paid, paid, paid, reversed_, True)
            for (provider, currency), (paid, reversed_) in sorted(sums.items())
        ]
        return [*rows, *self.differing]

    def violations(self) -> Sequence[Violation]:
        return self.broken_rules

    def pay(self, *bill_ids: UUID) -> UUID:
        """Settle bills, as a resident would."""
        bills = [one for one in self.bills.values() if one.bill_id in bill_ids]
        for bill in bills:
            bill.state = "settled"
        payment = Payment(uuid4(), bills)
        self.payments[payment.payment_id] = payment
        return payment.payment_id

    def _check_residency(self, subject: UUID, apartment_id: UUID) -> None:
        if subject not in self.residents:
            raise Rejection("resident_not_found")
        if apartment_id not in self.apartments:
            raise Rejection("apartment_not_found")

    def _issue(self, line: BillLine, sha256: str, *, dry_run: bool) -> LineResult:
        key = (line.provider_id, line.provider_reference)
        known, content = self.bills.get(key), replace(line, line=0)
        code = self._unknown_in(line) or (known and _rejection(known, content, sha256))
        if code:
            return LineResult(line.line, "rejected", code, known.bill_id if known else None)
        if known and _is_present(known, content, sha256):
            return LineResult(line.line, "already_present", None, known.bill_id)
        if known and not dry_run:
            self.replaced.add(known.bill_id)
        earlier = [*known.earlier, (known.sha256, known.line)] if known else []
        self.bills[key] = Bill(uuid4(), content, sha256, earlier)
        return LineResult(
            line.line, "revised" if known else "issued", None, self.bills[key].bill_id
        )

    def _unknown_in(self, line: BillLine) -> str | None:
        checks = {
            "apartment_not_found": line.apartment_id in self.apartments,
            "provider_not_found": line.provider_id in self.providers,
            "utility_not_found": line.utility in UTILITIES,
        }
        return next((code for code, known in checks.items() if not known), None)

    def _reversal_data(self, payment: Payment) -> dict[str, Any]:
        return {
            "reversal_id": str(payment.reversal),
            "payment_id": str(payment.payment_id),
            "receipt_number": "R-2026-0000000001",
            "total_minor": sum(bill.line.amount_minor for bill in payment.bills),
            "currency": payment.bills[0].line.currency,
            "bills": sorted(str(bill.bill_id) for bill in payment.bills),
        }


def _is_present(known: Bill, content: BillLine, sha256: str) -> bool:
    return content == known.line or (sha256, content) in known.earlier


def _rejection(known: Bill, content: BillLine, sha256: str) -> str | None:
    if known.line.apartment_id != content.apartment_id:
        return "reference_of_other_apartment"
    changes = not _is_present(known, content, sha256)
    return "bill_already_paid" if changes and known.state == "settled" else None


@dataclass
class Account:
    """A user of the fake directory."""

    subject: UUID
    password: str | None
    email: str | None
    enabled: bool = True
    fresh: bool = True


class FakeUserDirectory(UserDirectory):
    """Keeps logins in a dictionary; passwords need ten characters."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    def find(self, *, username: str) -> Login | None:
        account = self.accounts.get(username)
        if account is None:
            return None
        return Login(username, account.subject, account.enabled, account.fresh)

    def create(self, *, username: str, email: str | None, password: str | None) -> Login:
        if password is not None:
            _check_password(password)
        account = self.accounts.setdefault(username, Account(uuid4(), password, email))
        return Login(username, account.subject, account.enabled, account.fresh)

    def set_password(self, *, username: str, password: str, permanent: bool) -> None:
        _check_password(password)
        account = self._known(username)
        account.password, account.fresh = password, not permanent

    def disable(self, *, username: str) -> None:
        self._known(username).enabled = False

    def _known(self, username: str) -> Account:
        if username not in self.accounts:
            raise Rejection("login_not_found")
        return self.accounts[username]


def _check_password(password: str) -> None:
    if len(password) < 10:
        raise Rejection("invalid_new_password")
