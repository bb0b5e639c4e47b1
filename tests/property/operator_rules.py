"""Rules of the office: bills, reversals, residencies."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.machine import (
    LONG_AGO,
    PEOPLE,
    TOMORROW,
    UNKNOWN,
    LedgerMachine,
    numbers,
    one_of,
)
from tests.property.service import digest
from tests.property.values import Answer, Line, later

MONTHS = [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-31")]
DUE_ON = ["2026-02-10", "2026-03-15", "2026-04-10"]


class OperatorRules(LedgerMachine):
    """What operators do."""

    def first_bills(self) -> None:
        """Bills for both apartments, some of them in yen."""
        env = [(where, n, n, money) for n in range(4) for where, money in ((0, 0), (9, 0))]
        env += [(0, 0, 2, 10), (0, 1, 2, 10)]
        for number, (where, what, month, money) in enumerate(env):
            self.import_file([self.line(where, what, number, month, number, money)])

    @rule(
        how=st.sampled_from(["new", "new", "again", "to somebody unknown", "another name"]),
        spec=st.lists(st.tuples(*[numbers] * 6), min_size=1, max_size=4),
    )
    def import_bills(self, how: str, spec: list[tuple[int, ...]]) -> None:
        """Import a file of bills."""
        if how == "new":
            self.issue(spec)
        elif how == "again":
            self.issue_the_same_file_again(spec[0][0])
        elif how == "another name":
            self.rename(spec[0][0])
        else:
            self.issue_to_nobody(spec[0])

    def issue(self, spec: list[tuple[int, ...]]) -> None:
        """Import bills; references come from a small pool, so that they come again, changed."""
        self.import_file([self.line(*one) for one in spec])

    def issue_the_same_file_again(self, number: int) -> None:
        """A file that was imported before adds nothing, whatever was corrected since."""
        if self.files:
            self.run.note("issue: a file again")
            self.import_file(one_of(self.files, number))

    def issue_to_nobody(self, one: tuple[int, ...]) -> None:
        """A line that names something unknown is rejected alone."""
        line = self.line(*one)
        unknown = [
            line._replace(apartment=UNKNOWN),
            line._replace(utility="heat"),
            line._replace(provider="nobody"),
        ]
        self.import_file([one_of(unknown, one[0]), line._replace(reference=f"{line.reference}*")])

    def line(
        self, where: int, what: int, reference: int, month: int, amount: int, money: int
    ) -> Line:
        """Write a line: most bills are for home, most are in euros."""
        kind = one_of(("gas", "water"), what)
        return Line(
            apartment=self.other if where > 8 else self.home,
            utility=kind,
            provider=f"{kind}-{self.mark}",
            reference=f"R{reference}",
            period=one_of(MONTHS, month),
            due_on=one_of(DUE_ON, month),
            amount=100 + amount,
            currency="JPY" if money > 9 else "EUR",
        )

    def import_file(self, lines: list[Line]) -> None:
        """Import a file in both."""
        self.files.append(lines)
        told = self.service.issue(lines)
        should_be = self.model.issue(lines, digest(lines), told)
        for answer, expected_end in zip(told, should_be, strict=True):
            self.same("issue", answer, expected_end)

    @rule(how=st.sampled_from(["void", "reverse"]), number=numbers)
    def take_back(self, how: str, number: int) -> None:
        """Withdraw a bill, or undo a payment."""
        if how == "void":
            self.void(number)
            return
        self.reverse(number)
        if number > 8:
            self.reverse(number)

    def void(self, number: int) -> None:
        """Withdraw any bill."""
        bill_id = one_of([UNKNOWN, *(bill.bill_id for bill in self.model.bills())], number)
        answer = self.service.void(bill_id)
        self.same("void", answer, self.model.void(bill_id, answer))

    def rename(self, number: int) -> None:
        """Give a provider another name, or the same."""
        self.rename_provider(
            one_of(("gas", "water"), number), one_of(("& Sons", "Ltd"), number // 2)
        )
        self.run.note("issue: another name")

    def reverse(self, number: int) -> None:
        """Undo any payment, also one that is undone or unknown."""
        payment_id = one_of([*reversed(self.model.payments), UNKNOWN], number)
        answer = self.service.reverse(payment_id)
        self.same("reverse", answer, self.model.reverse(payment_id, answer))

    @rule(
        how=st.sampled_from(["out and in", "out and in", "in", "out"]),
        who=numbers,
        place=numbers,
        since=numbers,
    )
    def move(self, how: str, who: int, place: int, since: int) -> None:
        """Change who lives where, and what they see."""
        if how == "in":
            self.move_in(who, place, since)
        elif how == "out":
            self.move_out(who, place)
        else:
            self.move_out_and_in_again(who, since)

    def move_in(self, who: int, place: int, since: int) -> None:
        """Grant a residency since any instant that lies differently to what was posted."""
        apartment = one_of((self.home, self.home, self.other, UNKNOWN), place)
        self.grant(one_of(PEOPLE, who), apartment, one_of(self.instants(apartment), since))

    def instants(self, apartment: str) -> list[str]:
        """Return instants before, at and after events, and one that is yet to come."""
        events = self.model.apartments[apartment].events if apartment != UNKNOWN else []
        posted = [one["posted_at"] for one in events]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return [now, LONG_AGO, *(later(one, 1) for one in posted[-1:]), *posted, TOMORROW]

    def move_out(self, who: int, place: int) -> None:
        """End a residency, rarely one that there is."""
        name = one_of((*PEOPLE, "eve", "nobody"), who)
        self.end(name, one_of((self.home, self.other, UNKNOWN), place))

    def move_out_and_in_again(self, who: int, since: int) -> None:
        """See the history of home since another instant from now on."""
        name = one_of(("ada", "bob"), who)
        self.end(name, self.home)
        instants = self.instants(self.home)[:-1]
        self.grant(name, self.home, one_of(instants, since))

    def end(self, name: str, apartment: str) -> None:
        """End a residency in both."""
        answer = self.service.end(self.people[name], apartment)
        if name == "nobody":
            self.same("end", answer, Answer("login_not_found"))
            return
        self.same("end", answer, self.model.end(self.subjects[name], apartment, answer))
