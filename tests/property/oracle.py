"""What the ledger should say, in plain Python: it knows neither SQL nor the service's code.

Each method is one action. It is given the service's answer to learn from it what only the service
can know (ids, receipt numbers, the time), and returns the answer that should have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.property.values import (
    Answer,
    Apartment,
    Bill,
    Json,
    Line,
    Order,
    Payment,
    later,
)

UTILITIES = ("electricity", "gas", "water")


@dataclass
class Oracle:
    """The whole ledger. `tomorrow` is an instant that does not come while the model runs."""

    tomorrow: str
    apartments: dict[str, Apartment] = field(default_factory=dict)
    residents: set[str] = field(default_factory=set)
    providers: dict[str, str] = field(default_factory=dict)
    revisions: dict[tuple[str, str], list[Bill]] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[object, Answer]] = field(default_factory=dict)

    # The office

    def rename(self, provider: str, name: str) -> None:
        """Debts show a provider's name of today: where something is owed to it, they change."""
        if self.providers.get(provider, name) != name:
            for apartment in {b.line.apartment for b in self.open() if b.line.provider == provider}:
                self.apartments[apartment].version += 1
        self.providers[provider] = name

    def issue(self, lines: Sequence[Line], sha256: str, told: Sequence[Answer]) -> list[Answer]:
        """Issue a file: each line has an end of its own; the code of one that is done is its end.

        An apartment's version moves once, however many of its bills change.
        """
        versions = {name: apartment.version for name, apartment in self.apartments.items()}
        ends = []
        for number, (line, answer) in enumerate(zip(lines, told, strict=True)):
            if line.name in {earlier.name for earlier in lines[:number]}:
                ends.append(Answer("reference_duplicated"))
            else:
                ends.append(self._issue(line, sha256, answer))
        for name, version in versions.items():
            self.apartments[name].version = min(self.apartments[name].version, version + 1)
        return ends

    def _issue(self, line: Line, sha256: str, told: Answer) -> Answer:
        unknown = self._unknown(line)
        if unknown:
            return Answer(unknown)
        revisions = self.revisions.setdefault(line.name, [])
        newest = revisions[-1] if revisions else None
        if newest and newest.line.apartment != line.apartment:
            return Answer("reference_of_other_apartment")
        if newest and any(
            bill.line == line for bill in revisions if bill is newest or bill.sha256 == sha256
        ):
            return Answer("already_present", newest.bill_id)
        if newest and newest.state == "paid":
            return Answer("bill_already_paid", newest.bill_id)
        if newest:
            newest.state = "replaced"
        revisions.append(Bill(told.data, line, sha256))
        self.apartments[line.apartment].version += 1
        return Answer("revised" if newest else "issued", told.data)

    def _unknown(self, line: Line) -> str | None:
        if line.apartment not in self.apartments:
            return "apartment_not_found"
        if line.provider not in self.providers:
            return "provider_not_found"
        return None if line.utility in UTILITIES else "utility_not_found"

    def void(self, bill_id: str, told: Answer) -> Answer:
        """Withdraw an open bill."""
        bill = self.bill(bill_id)
        if bill is None:
            return Answer("bill_not_found")
        rejection = _not_open([bill])
        if rejection:
            return rejection
        bill.state = "void"
        self.apartments[bill.line.apartment].version += 1
        known = {"bill_id": bill_id, "apartment_id": bill.line.apartment}
        return Answer(None, known | told.learned("voided_at"))

    def reverse(self, payment_id: str, told: Answer) -> Answer:
        """Undo a payment whole."""
        payment = self.payments.get(payment_id)
        if payment is None:
            return Answer("payment_not_found")
        if payment.reversal:
            return Answer("payment_already_reversed", payment.reversal)
        payment.reversal = told.learned("reversal_id", "reversed_at")
        for bill in payment.bills:
            bill.state = "open"
        self._post("reversal", payment, payment.reversal["reversed_at"])
        receipt = payment.receipt
        known = {n: receipt[n] for n in ("payment_id", "receipt_number", "total_minor", "currency")}
        bills = sorted(bill.bill_id for bill in payment.bills)
        return Answer(None, {**known, **payment.reversal, "bills": bills})

    def grant(self, who: str, apartment: str, since: str) -> Answer:
        """Let somebody act for an apartment."""
        rejection = self._no_place(who, apartment)
        if rejection:
            return rejection
        if who in self.apartments[apartment].since:
            return Answer("residency_exists")
        self.apartments[apartment].since[who] = since
        self.apartments[apartment].version += 1
        return Answer(None, {"subject": who, "apartment_id": apartment, "since": since})

    def end(self, who: str, apartment: str, told: Answer) -> Answer:
        """Let them act there no more."""
        rejection = self._no_place(who, apartment)
        if rejection:
            return rejection
        if self.apartments[apartment].since.pop(who, None) is None:
            return Answer("residency_not_found")
        self.apartments[apartment].version += 1
        known = {"subject": who, "apartment_id": apartment}
        return Answer(None, known | told.learned("ended_at"))

    def _no_place(self, who: str, apartment: str) -> Answer | None:
        if who not in self.residents:
            return Answer("resident_not_found")
        return None if apartment in self.apartments else Answer("apartment_not_found")

    # Residents

    def pay(self, order: Order, told: Answer) -> Answer:
        """Pay; a key is answered as it was the first time, for ever."""
        known = self.answers.get((order.who, order.key))
        if known:
            content, answer = known
            return answer if content == order.content else Answer("idempotency_key_reused")
        answer = self._rejection(order) or self._settle(order, told)
        if order.who in self.residents:
            self.answers[order.who, order.key] = (order.content, answer)
        return answer

    def _rejection(self, order: Order) -> Answer | None:
        if self.since(order.who, order.apartment) is None:
            return Answer("apartment_not_found")
        if not order.bills:
            return Answer("invalid_request")
        bills = [self.bill(bill_id) for bill_id in sorted(set(order.bills))]
        found = [bill for bill in bills if bill and bill.line.apartment == order.apartment]
        unknown = set(order.bills) - {bill.bill_id for bill in found}
        if unknown:
            return Answer("bill_not_found", {"bills": sorted(unknown)})
        return _not_open(found) or _not_as_expected(found, order.expected)

    def _settle(self, order: Order, told: Answer) -> Answer:
        bills = sorted(filter(None, map(self.bill, set(order.bills))), key=_in_receipts)
        total = sum(bill.line.amount for bill in bills)
        learned = told.learned("payment_id", "receipt_number", "settled_at")
        receipt = {
            **learned,
            "status": "settled",
            "total_minor": total,
            "currency": bills[0].line.currency,
            "lines": [self._line(bill) for bill in bills],
        }
        if not learned:
            return Answer(None, receipt)
        payment = Payment(receipt, order.who, order.apartment, bills)
        self.payments[receipt["payment_id"]] = payment
        for bill in bills:
            bill.state = "paid"
        self._post("payment", payment, receipt["settled_at"])
        return Answer(None, receipt)

    def since(self, who: str, apartment: str) -> str | None:
        """Since when somebody may act for an apartment; None when they may not now."""
        place = self.apartments.get(apartment)
        since = place.since.get(who) if place else None
        return since if since is not None and since < self.tomorrow else None

    def history(self, who: str, apartment: str) -> list[Json]:
        """Return what somebody may see of what was posted."""
        since = self.since(who, apartment)
        events = self.apartments[apartment].events if since else []
        return [event for event in events if since and event["posted_at"] >= since]

    def history_end(self, who: str, apartment: str) -> str:
        """Return the instant just after what somebody may see: no frame goes beyond it."""
        events = self.apartments[apartment].events
        since = self.since(who, apartment) or ""
        return max(since, later(events[-1]["posted_at"], 1)) if events else since

    # What stands

    def bills(self) -> Iterable[Bill]:
        """Return every revision of every bill."""
        return (bill for revisions in self.revisions.values() for bill in revisions)

    def bill(self, bill_id: str) -> Bill | None:
        """Return a bill."""
        return next((bill for bill in self.bills() if bill.bill_id == bill_id), None)

    def payer(self, bill_id: str) -> str | None:
        """Tell who paid a bill, if it is paid."""
        standing = (payment for payment in self.payments.values() if payment.reversal is None)
        paid = {bill.bill_id: payment.who for payment in standing for bill in payment.bills}
        return paid.get(bill_id)

    def open(self, apartment: str | None = None) -> list[Bill]:
        """Return what is owed, in the order in which it is shown."""
        owed = (b for b in self.bills() if b.state == "open")
        theirs = (b for b in owed if apartment in (None, b.line.apartment))
        return sorted(theirs, key=lambda b: (b.line.due_on, b.line.utility, b.bill_id))

    def _post(self, kind: str, payment: Payment, first: str) -> None:
        place = self.apartments[payment.apartment]
        place.version += 1
        for number, line in enumerate(payment.receipt["lines"]):
            place.events.append(
                {
                    **line,
                    "event": kind,
                    "currency": payment.receipt["currency"],
                    "posted_at": later(first, number),
                    "settled_at": first,
                    "payment_id": payment.receipt["payment_id"],
                    "receipt_number": payment.receipt["receipt_number"],
                }
            )

    def _line(self, bill: Bill) -> Json:
        line = bill.line
        return {
            "bill_id": bill.bill_id,
            "utility": line.utility,
            "provider": self.providers[line.provider],
            "provider_id": line.provider,
            "period": {"from": line.period[0], "to": line.period[1]},
            "amount_minor": line.amount,
        }


def _in_receipts(bill: Bill) -> tuple[str, str, str]:
    return bill.line.period[0], bill.line.utility, bill.bill_id


def _not_open(bills: Sequence[Bill]) -> Answer | None:
    gone = sorted(bill.bill_id for bill in bills if bill.state in ("void", "replaced"))
    if gone:
        return Answer("bill_void", {"bills": gone})
    paid = sorted(bill.bill_id for bill in bills if bill.state == "paid")
    return Answer("bill_already_paid", {"bills": paid}) if paid else None


def _not_as_expected(bills: Sequence[Bill], expected: int | None) -> Answer | None:
    currencies = sorted({bill.line.currency for bill in bills})
    if len(currencies) > 1:
        return Answer("currency_mixed", {"currencies": currencies})
    total = sum(bill.line.amount for bill in bills)
    if expected in (None, total):
        return None
    return Answer("total_changed", {"total_minor": total, "expected_total_minor": expected})
