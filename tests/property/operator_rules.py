"""Rules of the office: bills, reversals, residencies."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing_app.admin.formatting import plain
from billing_app.domain.instants import TICK, format_instant
from tests.property.machine import (
    LONG_AGO,
    PEOPLE,
    TOMORROW,
    UNKNOWN,
    LedgerMachine,
    numbers,
    one_of,
)
from tests.property.service import Json
from tests.support.bills import a_line

NOTE = {"operator": "olga", "reason": "because"}
# So few that they come again, for other periods and utilities, too; two of them look alike.
REFERENCES = ("R1", "R2", "R3", "r-02")


class OperatorRules(LedgerMachine):
    """What operators do."""

    def first_bills(self) -> None:
        """Bills for both apartments, some of them in yen."""
        env = [(where, n, n, money) for n in range(4) for where, money in ((0, 0), (9, 0))]
        env += [(0, 0, 2, 10), (0, 1, 2, 10)]
        for number, (where, what, month, money) in enumerate(env):
            self.import_file([self.line(where, what, number, month, number, money)])

    @rule(
        how=st.sampled_from(
            ["new", "dry run", "new", "duplicates", "dry run", "again", "unknown", "a name"]
        ),
        spec=st.lists(st.tuples(*[numbers] * 6), min_size=1, max_size=4),
    )
    def import_bills(self, how: str, spec: list[tuple[int, ...]]) -> None:
        """Import a file; references come from a small pool, so that they come again, changed."""
        lines = [self.line(*one) for one in spec]
        number = spec[0][0]
        if how == "a name":
            self.rename_provider(
                one_of(("gas", "water"), number), one_of(("& Sons", "Ltd"), number // 2)
            )
        elif how == "again":
            self.run.note("issue: a file again")
            self.import_file(one_of(self.files, number))
        elif how == "unknown":
            unknown = {"apartment_id": str(UNKNOWN)}, {"utility": "heat"}, {"provider_id": "nobody"}
            other = [{"provider_reference": f"A{n}"} for n in range(4)]
            self.import_file(
                [{**lines[0], **a, **b} for a, b in zip(({}, *unknown), other, strict=True)]
            )
        else:
            self.import_file(lines, dry_run=how == "dry run", allow_duplicates=how == "duplicates")

    def line(
        self, where: int, what: int, reference: int, month: int, amount: int, money: int
    ) -> Json:
        """Write a line: most bills are for home, most are in euros."""
        kind = one_of(("gas", "water"), what)
        line = a_line(
            month=month % 3 + 1,
            apartment_id=self.other if where > 8 else self.home,
            utility=kind,
            provider_id=f"{kind}-{self.mark}",
            provider_reference=one_of(REFERENCES, reference),
            amount_minor=100 + amount,
            currency="JPY" if money > 9 else "EUR",
        )
        found: Json = plain(line)
        return found

    def import_file(
        self, lines: list[Json], *, dry_run: bool = False, allow_duplicates: bool = False
    ) -> None:
        """Import a file: the same lines are the same file."""
        self.files.append(lines)
        answer = self.operate(
            "import, dry" if dry_run else "import",
            "import_bills",
            lines=[{**line, "line": number} for number, line in enumerate(lines, start=2)],
            import_id=uuid4(),
            sha256=hashlib.sha256(repr(lines).encode()).hexdigest(),
            dry_run=dry_run,
            allow_duplicates=allow_duplicates,
        )
        for line in answer.data["lines"]:
            self.run.note(f"issue{', dry' * dry_run}: {line['code'] or line['result']}")

    @rule(how=st.sampled_from(["void", "void", "reverse"]), number=numbers, back=numbers)
    def take_back(self, how: str, number: int, back: int) -> None:
        """Withdraw any bill, or undo any payment, also one that is undone or unknown."""
        if how == "void":
            bill_id = one_of([*self.model.bills, UNKNOWN], -number)
            self.operate("void", "void_bill", bill_id=bill_id, **NOTE)
            self.reinstate(bill_id, back)
            return
        payment_id = one_of([*reversed(self.model.payments), UNKNOWN], number)
        for _ in range(2 if number > 8 else 1):
            self.operate("reverse", "reverse_payment", payment_id=payment_id, **NOTE)

    def reinstate(self, bill_id: UUID, number: int) -> None:
        """Perhaps take back the void of a bill, twice, or after it was billed anew."""
        if number % 3 == 0 and bill_id in self.model.bills:
            anew = {"line": 2, "provider_reference": "A7"}
            self.import_file([{**plain(self.model.bills[bill_id].line), **anew}])
        for _ in range(number % 4):
            anyway = number > 8
            self.operate(
                "reinstate", "reinstate_bill", bill_id=bill_id, allow_duplicates=anyway, **NOTE
            )

    @rule(
        how=st.sampled_from(["out and in", "in", "out and in", "in", "out"]),
        who=numbers,
        place=numbers,
        since=numbers,
    )
    def move(self, how: str, who: int, place: int, since: int) -> None:
        """Change who lives where, and what they see."""
        if how == "in":
            apartment = one_of((self.home, self.other, UNKNOWN), place)
            self.grant(one_of(PEOPLE, who), apartment, one_of(self.instants(apartment), since))
        elif how == "out":
            # Rarely a residency that there is; the second time there is none for certain.
            name = one_of((*PEOPLE, *PEOPLE[3:]), who)
            for _ in range(2):
                self.end(name, one_of((UNKNOWN, self.home, self.other), place))
        else:
            self.move_out_and_in_again(who, since)

    def instants(self, apartment: UUID) -> list[str | None]:
        """Return instants before, at and after events, one that is yet to come, and now: None."""
        events = self.model.apartments[apartment].events if apartment != UNKNOWN else []
        posted = [one.posted_at for one in events]
        known = [*(one + TICK for one in posted[-1:]), *posted]
        return [None, LONG_AGO, *map(format_instant, known), TOMORROW]

    def move_out_and_in_again(self, who: int, since: int) -> None:
        """See the history of home since another instant from now on."""
        name = one_of(("ada", "bob"), who)
        self.end(name, self.home)
        self.grant(name, self.home, one_of(self.instants(self.home)[:-1], since))

    def end(self, name: str, apartment: UUID) -> None:
        """End a residency."""
        username = self.people[name]
        self.operate("end", "end_residency", username=username, apartment_id=apartment)
