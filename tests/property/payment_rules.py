"""Rules of payments: right ones, wrong ones, and repetitions of both."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.machine import PEOPLE, UNKNOWN, LedgerMachine, Order, numbers, one_of


class PaymentRules(LedgerMachine):
    """What residents pay."""

    @rule(
        how=st.sampled_from(["some", "some", "all", "what is not owed", "anything"]),
        who=numbers,
        chosen=st.lists(numbers, max_size=3),
        total=numbers,
    )
    def pay_bills(self, how: str, who: int, chosen: list[int], total: int) -> None:
        """Pay under a key that is new."""
        if how == "some":
            self.pay_what_is_owed(who, {*chosen, total}, total)
        elif how == "all":
            self.pay_all_that_is_owed(who, yen=total > 9)
        elif how == "what is not owed":
            self.pay_what_is_not_owed(
                who, one_of(("settled", "void", "replaced"), len(chosen)), total
            )
        else:
            self.pay_anything(who, total > 3, chosen)

    def pay_what_is_owed(self, who: int, chosen: set[int], total: int) -> None:
        """Pay open bills, mostly as they are shown."""
        name, place = self.at_home(who)
        owed = self.bills_of(place, "open")
        if owed:
            bills = {(bill := one_of(owed, number)).bill_id: bill.line for number in chosen}
            shown = sum(line.amount_minor for line in bills.values()) + (1 if total > 7 else 0)
            self.pay_as(name, place, tuple(bills), shown if total > 3 else None)

    def pay_all_that_is_owed(self, who: int, yen: bool) -> None:
        """Pay everything in one currency."""
        name, place = self.at_home(who)
        currency, owed = "JPY" if yen else "EUR", self.bills_of(place, "open")
        bills = tuple(bill.bill_id for bill in owed if bill.line.currency == currency)
        if bills:
            self.pay_as(name, place, bills)

    def pay_what_is_not_owed(self, who: int, state: str, chosen: int) -> None:
        """Pay a bill that is paid, withdrawn or replaced, beside one that is owed."""
        name, place = self.at_home(who)
        gone = self.bills_of(place, state)
        if gone:
            beside = self.bills_of(place, "open")[: chosen % 2]
            self.pay_as(name, place, tuple(b.bill_id for b in (one_of(gone, chosen), *beside)))

    def pay_anything(self, who: int, home: bool, chosen: list[int]) -> None:
        """Pay any bills: somebody else's, unknown ones, none, one twice, of any state."""
        known = [*self.model.bills, UNKNOWN]
        bills = tuple(one_of(known, number) for number in chosen)
        name = one_of(("ada", "bob", "eve", *PEOPLE), who)
        self.pay_as(name, self.home if home else self.other, bills)
        if who % 2:
            self.pay_and_note(self.orders[-1])

    @rule(
        number=numbers,
        change=st.sampled_from(["nothing", "nothing", "order", "key", "who", "total"]),
    )
    def pay_again(self, number: int, change: str) -> None:
        """Repeat a request: as it was, or almost."""
        if not self.orders:
            return
        known = [order for order in self.orders if (order.who, order.key) in self.model.answers]
        order = one_of((known or self.orders)[::-1], number)
        self.run.note(f"pay again, changed: {change}")
        self.pay_and_note(
            {
                "nothing": order,
                "order": order._replace(bills=(*order.bills[::-1], *order.bills)),
                "key": order._replace(key=uuid4().hex),
                "who": order._replace(who=self.subjects[one_of(("ada", "bob"), number)]),
                "total": order._replace(expected=(order.expected or 0) + 1),
            }[change]
        )

    def first_payments(self) -> None:
        """Bob pays two bills of home, one after the other, and Eve one of hers."""
        for name, place in (("bob", self.home), ("bob", self.home), ("eve", self.other)):
            self.pay_as(name, place, (self.bills_of(place, "open")[0].bill_id,))

    def at_home(self, who: int) -> tuple[str, UUID]:
        """Choose a resident, and the apartment that was theirs at first."""
        name = one_of(("ada", "bob", "eve"), who)
        return name, self.other if name == "eve" else self.home

    def pay_as(
        self, name: str, place: UUID, bills: tuple[UUID, ...], total: int | None = None
    ) -> None:
        """Pay under a key that is new."""
        self.pay_and_note(Order(self.subjects[name], uuid4().hex, place, bills, total))

    def pay_and_note(self, order: Order) -> None:
        """Pay, and note whose bills were paid before and which key was known."""
        known = (order.who, order.key) in self.model.answers
        self.orders.append(order)
        answer = self.pay(order)
        standing = [one for one in self.model.payments.values() if one.reversal is None]
        payers = {bill.bill_id: one.order.subject for one in standing for bill in one.bills}
        if answer.code and any(payers.get(bill, order.who) != order.who for bill in order.bills):
            self.run.note(f"pay, somebody else's: {answer.code}")
        if known and answer.code != "idempotency_key_reused":
            self.run.note(f"pay, answered as before: {answer.code or 'done'}")
