"""Totals: whatever the grouping, nothing is lost and currencies never mix."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.bills import Debt, Provider, days_overdue, total_by
from tests.support.bills import a_debt

PROVIDERS = [Provider("north-gas", "North Gas"), Provider("alpha", "Альфа"), Provider("z", "Z")]


debts = st.lists(
    st.builds(
        a_debt,
        month=st.integers(1, 12),
        utility=st.sampled_from(["gas", "water", "electricity"]),
        provider=st.sampled_from(PROVIDERS),
        amount_minor=st.integers(1, 2**53),
        currency=st.sampled_from(["EUR", "USD", "JPY"]),
    ),
    max_size=30,
)


@pytest.mark.parametrize("key", ["utility", "provider", "period", "currency"])
@given(owed=debts)
def test_the_groups_of_any_grouping_differ_and_add_up_to_the_whole(
    key: str, owed: list[Debt]
) -> None:
    totals = total_by(owed, key=lambda debt: getattr(debt, key))
    groups = [(total.key, total.currency) for total in totals]
    assert len(groups) == len(set(groups))
    for currency in {debt.currency for debt in owed}:
        expected = [debt.amount_minor for debt in owed if debt.currency == currency]
        ours = [total for total in totals if total.currency == currency]
        assert sum(total.total_minor for total in ours) == sum(expected)
        assert sum(total.bills for total in ours) == len(expected)


@given(due_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(-400, 400))
def test_days_overdue_counts_from_the_day_after_the_due_date(due_on: date, days: int) -> None:
    assert days_overdue(due_on=due_on, today=due_on + timedelta(days=days)) == max(0, days)
