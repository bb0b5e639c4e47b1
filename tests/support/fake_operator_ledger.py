"""The operators' ports in memory: the same contract tests run on these and on the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from billing_app.domain.bill_lines import BillLine
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import (
    BillBatch,
    DayOfProvider,
    EndedResidency,
    GrantedResidency,
    LineResult,
    Login,
    OperatorLedger,
    Reversal,
    UserDirectory,
    Violation,
    VoidedBill,
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
    """Keeps the ledger in dictionaries."""

    def __init__(self) -> None:
        self.residents: dict[UUID, str] = {}
        self.apartments: dict[UUID, str] = {}
        self.residencies: set[tuple[UUID, UUID]] = set()
        self.providers: dict[str, str] = {}
        self.bills: dict[tuple[str, str], Bill] = {}
        self.replaced: set[UUID] = set()
        self.payments: dict[UUID, Payment] = {}
        self.notes: list[tuple[UUID, str, str]] = []
        self.broken_rules: list[Violation] = []
        self.differing: list[DayOfProvider] = []

    def add_resident(self, *, subject: UUID, name: str) -> None:
        if subject in self.residents:
            raise Rejection("resident_exists")
        self.residents[subject] = name

    def add_apartment(self, *, apartment_id: UUID, address: str) -> None:
        if apartment_id in self.apartments:
            raise Rejection("apartment_exists")
        self.apartments[apartment_id] = address

    def grant_residency(
        self, *, subject: UUID, apartment_id: UUID, since: datetime
    ) -> GrantedResidency:
        self._check_residency(subject, apartment_id)
        if (subject, apartment_id) in self.residencies:
            raise Rejection("residency_exists")
        self.residencies.add((subject, apartment_id))
        return GrantedResidency(subject, apartment_id, since)

    def end_residency(self, *, subject: UUID, apartment_id: UUID) -> EndedResidency:
        self._check_residency(subject, apartment_id)
        if (subject, apartment_id) not in self.residencies:
            raise Rejection("residency_not_found")
        self.residencies.remove((subject, apartment_id))
        return EndedResidency(subject, apartment_id, NOW)

    def add_provider(self, *, provider_id: str, name: str) -> None:
        self.providers[provider_id] = name

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

    def void_bill(self, *, bill_id: UUID, reason: str, operator: str) -> VoidedBill:
        bill = next((one for one in self.bills.values() if one.bill_id == bill_id), None)
        if bill is None:
            raise Rejection("bill_void" if bill_id in self.replaced else "bill_not_found")
        if bill.state != "open":
            raise Rejection("bill_void" if bill.state == "void" else "bill_already_paid")
        bill.state = "void"
        self.notes.append((bill_id, reason, operator))
        return VoidedBill(bill_id, bill.line.apartment_id, NOW)

    def reverse_payment(self, *, payment_id: UUID, reason: str, operator: str) -> Reversal:
        payment = self.payments.get(payment_id)
        if payment is None:
            raise Rejection("payment_not_found")
        if payment.reversal:
            raise Rejection("payment_already_reversed")
        payment.reversal = uuid4()
        for bill in payment.bills:
            bill.state = "open"
        self.notes.append((payment_id, reason, operator))
        return Reversal(
            reversal_id=payment.reversal,
            payment_id=payment_id,
            receipt_number="R-2026-0000000001",
            reversed_at=NOW,
            total_minor=sum(bill.line.amount_minor for bill in payment.bills),
            currency=payment.bills[0].line.currency,
            bills=sorted(bill.bill_id for bill in payment.bills),
        )

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
