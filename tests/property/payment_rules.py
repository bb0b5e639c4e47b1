"""Rules of payments: right ones, wrong ones, and repetitions of both."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.machine import PEOPLE, UNKNOWN, LedgerMachine, numbers, one_of
from tests.property.values import Order


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
            self.pay_what_is_not_owed(who, one_of(("paid", "void", "replaced"), len(chosen)), total)
        else:
            self.pay_anything(who, total > 3, chosen)

    def pay_what_is_owed(self, who: int, chosen: set[int], total: int) -> None:
        """Pay open bills, mostly as they are shown."""
        name, place = self.at_home(who)
        owed = self.model.open(place)
        if owed:
            bills = {(bill := one_of(owed, number)).bill_id: bill.line for number in chosen}
            shown = sum(line.amount for line in bills.values()) + (1 if total > 7 else 0)
            self.pay(self.order(name, place, tuple(bills), shown if total > 3 else None))

    def pay_all_that_is_owed(self, who: int, yen: bool) -> None:
        """Pay everything in one currency."""
        name, place = self.at_home(who)
        currency = "JPY" if yen else "EUR"
        bills = [b.bill_id for b in self.model.open(place) if b.line.currency == currency]
        if bills:
            self.pay(self.order(name, place, tuple(bills), None))

    def pay_what_is_not_owed(self, who: int, state: str, chosen: int) -> None:
        """Pay a bill that is paid, withdrawn or replaced, beside one that is owed."""
        name, place = self.at_home(who)
        theirs = [bill for bill in self.model.bills() if bill.line.apartment == place]
        gone = [bill.bill_id for bill in theirs if bill.state == state]
        if gone:
            owed = [bill.bill_id for bill in self.model.open(place)]
            self.pay(self.order(name, place, (one_of(gone, chosen), *owed[: chosen % 2]), None))

    def pay_anything(self, who: int, home: bool, chosen: list[int]) -> None:
        """Pay any bills: somebody else's, unknown ones, none, one twice, of any state."""
        known = [*(bill.bill_id for bill in self.model.bills()), UNKNOWN]
        bills = tuple(one_of(known, number) for number in chosen)
        place = self.home if home else self.other
        self.pay(self.order(one_of(("ada", "bob", "eve", *PEOPLE), who), place, bills, None))

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
        self.pay(
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
            self.pay(self.order(name, place, (self.model.open(place)[0].bill_id,), None))

    def at_home(self, who: int) -> tuple[str, str]:
        """Choose a resident, and the apartment that was theirs at first."""
        name = one_of(("ada", "bob", "eve"), who)
        return name, self.other if name == "eve" else self.home

    def order(self, name: str, place: str, bills: tuple[str, ...], total: int | None) -> Order:
        """Make a request with a key of its own."""
        return Order(self.subjects[name], uuid4().hex, place, bills, total)

    def pay(self, order: Order) -> None:
        """Pay in both."""
        known = self.model.answers.get((order.who, order.key))
        self.orders.append(order)
        answer = self.service.pay(order)
        self.same("pay", answer, self.model.pay(order, answer))
        for bill_id in (answer.data or {}).get("bills", ()):
            if self.model.payer(bill_id) not in (None, order.who):
                self.run.note(f"pay, somebody else's: {answer.code}")
        if known and known[1].code == answer.code:
            self.run.note(f"pay, answered as before: {answer.code or 'done'}")
