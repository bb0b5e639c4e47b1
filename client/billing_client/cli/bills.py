"""Open bills: how they are chosen, summed and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from billing_client.answers import Debt, Debts, Period, Provider
from billing_client.cli.rows import Rows
from billing_client.cli.terminal import Terminal, cell
from billing_client.cli.words import amount_texts, overdue_text, period_text, short_ids
from billing_client.encoding import Json, encode_period, encode_provider, encode_total
from billing_client.errors import RequestRejected
from billing_client.money import Money, totals

Group = str | Provider | Period
GROUPINGS: dict[str, Callable[[Debt], Group]] = {
    "utility": lambda debt: debt.utility,
    "provider": lambda debt: debt.provider,
    "period": lambda debt: debt.period,
}


@dataclass(frozen=True)
class GroupSum:
    """What is owed in one group and currency."""

    group: Group
    bills: int
    total: Money


def sums_by(debts: Sequence[Debt], grouping: str) -> list[GroupSum]:
    """Return sums by ``utility``, ``provider`` or ``period``, in the order of the groups."""
    groups: dict[tuple[Group, str], list[Debt]] = {}
    for debt in debts:
        groups.setdefault((GROUPINGS[grouping](debt), debt.amount.currency), []).append(debt)
    ordered = sorted(groups.items(), key=lambda item: (group_text(item[0][0]), item[0][1]))
    return [
        GroupSum(group, len(members), totals(debt.amount for debt in members)[0])
        for (group, _), members in ordered
    ]


def group_text(group: Group) -> str:
    if isinstance(group, Provider):
        return group.name
    return period_text(group) if isinstance(group, Period) else group


def group_json(group: Group) -> Json | str:
    if isinstance(group, Provider):
        return encode_provider(group)
    return encode_period(group) if isinstance(group, Period) else group


def sums_json(debts: Sequence[Debt], grouping: str) -> list[Json]:
    return [
        {grouping: group_json(found.group), "bills": found.bills, **encode_total(found.total)}
        for found in sums_by(debts, grouping)
    ]


@dataclass(frozen=True)
class Choice:
    """Which bills are meant. What is empty does not restrict; all others must fit at once."""

    bills: tuple[str, ...] = ()
    utilities: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()

    @property
    def restricts(self) -> bool:
        return bool(self.bills or self.utilities or self.providers or self.periods)

    def among(self, debts: Sequence[Debt]) -> list[Debt]:
        """Return the bills that fit; raises RequestRejected for a bill that is not there."""
        bill_ids = {_one_bill(chosen, debts) for chosen in self.bills}
        return [
            debt
            for debt in debts
            if (not bill_ids or debt.bill_id in bill_ids)
            and (not self.utilities or debt.utility.casefold() in _folded(self.utilities))
            and (not self.providers or _names(debt.provider) & _folded(self.providers))
            and (not self.periods or f"{debt.period.first:%Y-%m}" in self.periods)
        ]


def _folded(texts: Sequence[str]) -> set[str]:
    return {text.casefold() for text in texts}


def _names(provider: Provider) -> set[str]:
    return _folded((provider.provider_id, provider.name))


def _one_bill(chosen: str, debts: Sequence[Debt]) -> str:
    found = [d.bill_id for d in debts if d.bill_id.startswith(chosen.lower())]
    if len(found) == 1:
        return found[0]
    problem = "is the start of several open bills" if found else "is no open bill here"
    raise RequestRejected("bill_not_found", f"{chosen!r} {problem}.")


def show_bills(terminal: Terminal, debts: Sequence[Debt]) -> None:
    """Show one line for each bill, what is overdue in red."""
    rows = Rows(("Utility", "Provider", "Period", "Due", "Overdue", "Amount", "Bill"))
    ids = short_ids(debt.bill_id for debt in debts)
    amounts = amount_texts([debt.amount for debt in debts])
    for debt, amount in zip(debts, amounts, strict=True):
        late = "bold red" if debt.days_overdue > 0 else ""
        rows.add(
            cell(debt.utility),
            cell(debt.provider.name),
            cell(period_text(debt.period)),
            cell(debt.due_on.isoformat(), late),
            cell(overdue_text(debt.days_overdue), late),
            cell(amount),
            cell(ids[debt.bill_id], "dim"),
        )
    terminal.show(rows)


def show_sums(terminal: Terminal, debts: Debts, grouping: str) -> None:
    """Show the sum of each group, and of everything."""
    rows = Rows((grouping.capitalize(), "Bills", "Overdue", "Total"))
    found = sums_by(debts.debts, grouping)
    texts = amount_texts([item.total for item in found] + list(debts.totals))
    late = {(item.group, item.total.currency): item.total for item in _overdue(debts, grouping)}
    for item, text in zip(found, texts, strict=False):
        overdue = _late_cell(late.get((item.group, item.total.currency)))
        rows.add(cell(group_text(item.group)), str(item.bills), overdue, cell(text))
    for total, text in zip(debts.totals, texts[len(found) :], strict=True):
        bills = sum(item.bills for item in found if item.total.currency == total.currency)
        sums = [sum_ for (_, currency), sum_ in late.items() if currency == total.currency]
        overdue = _late_cell(next(iter(totals(sums)), None))
        rows.add(cell("Total", "bold"), str(bills), overdue, cell(text, "bold"))
    terminal.show(rows)


def _late_cell(overdue: Money | None) -> Text:
    return cell(str(overdue) if overdue else "", "bold red")


def _overdue(debts: Debts, grouping: str) -> list[GroupSum]:
    return sums_by([debt for debt in debts.debts if debt.days_overdue > 0], grouping)
