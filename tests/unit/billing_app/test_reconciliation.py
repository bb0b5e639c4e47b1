"""The check of a ledger that is larger than a call has time for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from billing_app.admin import reconcile_operations
from billing_app.admin.operations import answered, handle
from billing_app.admin.reconcile_operations import reconcile_by_schedule
from billing_app.domain.errors import TimedOut
from billing_app.ports.operator_ledger import AdminContext, CheckedPage, Violation
from billing_app.use_cases.reconciliation import CHECKED_WITHIN, MAX_VIOLATIONS
from tests.support.bills import APARTMENT
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeUserDirectory

FLATS = [UUID(int=number) for number in range(1, 1001)]
BROKEN = Violation("bill_has_one_state", "b-1", "not one")


class SlowLedger(FakeLedger):
    """Needs a hundredth of a second for each apartment, and gives up after `patience` seconds."""

    def __init__(self, apartments: list[UUID]) -> None:
        super().__init__(NOW)
        self.patience = 30.0
        self.pages: list[tuple[str | None, int]] = []
        for one in apartments:
            self.add_apartment(apartment_id=one, address="x")

    def check_apartments(self, *, kind: str | None, first: UUID, limit: int) -> CheckedPage:
        if limit * 0.01 > self.patience:
            self.clock.advance(timedelta(seconds=self.patience))
            raise TimedOut("database: QueryCanceled 57014")
        page = super().check_apartments(kind=kind, first=first, limit=limit)
        self.clock.advance(timedelta(seconds=page.checked * 0.01))
        self.pages.append((kind, page.checked))
        return page


@pytest.fixture
def ledger() -> SlowLedger:
    return SlowLedger(FLATS)


@pytest.fixture
def context(ledger: SlowLedger) -> AdminContext:
    return AdminContext(ledger, FakeUserDirectory(), clock=ledger.clock, new_id=lambda: APARTMENT)


def scheduled(context: AdminContext, seconds: float) -> dict[str, Any]:
    until = context.clock() + timedelta(seconds=seconds)
    answer = answered(lambda: reconcile_by_schedule(context, until))
    return {**answer["data"], "code": answer["code"]}


def calls(context: AdminContext) -> Iterator[dict[str, Any]]:
    """Ask until there is no more to do."""
    event: dict[str, Any] | None = {}
    while event is not None:
        data = handle("reconcile", event, context=context)["data"]
        yield data
        event = data["next"]


def test_a_call_that_runs_out_of_time_says_where_to_go_on(
    context: AdminContext, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_operations, "CALL_SECONDS", 4)
    found = list(calls(context))
    assert len(found) > 1
    assert sum(one["checked"] for one in found) == len(FLATS)
    assert [kind for kind, _ in ledger.pages if kind] == []


def test_days_that_take_too_long_are_left_to_the_next_call(
    context: AdminContext, ledger: SlowLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_operations, "CALL_SECONDS", 0)
    days = {"from": "2026-11-01", "to": "2026-11-03"}
    data = handle("reconcile", days, context=context)["data"]
    assert data["next"] == {"from": "2026-11-02"}


def test_a_page_that_takes_too_long_is_tried_again_in_smaller_ones(
    context: AdminContext, ledger: SlowLedger
) -> None:
    ledger.patience = 0.1
    until = context.clock() + timedelta(seconds=100)
    answered(lambda: reconcile_by_schedule(context, until))
    assert {checked for _, checked in ledger.pages} <= set(range(11))
    assert len(ledger.checked) == len(FLATS)


def test_an_apartment_that_takes_too_long_alone_fails_the_run(
    context: AdminContext, ledger: SlowLedger
) -> None:
    ledger.patience = 0
    until = context.clock() + timedelta(seconds=100)
    answer = answered(lambda: reconcile_by_schedule(context, until))
    assert answer["code"] == "service_unavailable"


def test_runs_of_the_schedule_go_on_where_the_last_one_stopped(
    context: AdminContext, ledger: SlowLedger
) -> None:
    """Two runs see each apartment once; then there is time to see all of them again."""
    first = scheduled(context, 4)
    assert 0 < len(ledger.checked) < len(FLATS)
    assert first["waiting"] == len(FLATS) - len(ledger.checked)
    second = scheduled(context, 3)
    assert (second["waiting"], second["checked"]) == (0, len(FLATS) - first["checked"])
    ledger.pages.clear()
    third = scheduled(context, 100)
    assert (third["code"], third["checked"]) == (None, len(FLATS))


def test_what_has_changed_is_checked_before_the_rest(
    context: AdminContext, ledger: SlowLedger
) -> None:
    scheduled(context, 100)
    scheduled(context, 100)
    ledger.pages.clear()
    ledger.apartments[FLATS[-1]].version += 1
    scheduled(context, 100)
    assert ledger.pages[:2] == [("changed", 1), ("all", 100)]


def test_a_check_that_falls_behind_is_told(context: AdminContext, ledger: SlowLedger) -> None:
    scheduled(context, 100)
    ledger.clock.advance(CHECKED_WITHIN + timedelta(days=1))
    behind = scheduled(context, 2)
    assert (behind["code"], behind["apartments"]) == ("check_overdue", len(FLATS))
    assert scheduled(context, 100)["code"] is None


def test_a_difference_is_told_before_anything_else_and_only_so_often(
    context: AdminContext, ledger: SlowLedger
) -> None:
    ledger.broken_rules = [Violation("a_rule", str(n), "x") for n in range(MAX_VIOLATIONS + 5)]
    told = scheduled(context, 100)
    assert (told["code"], told["violations_left_out"]) == ("ledger_differs", 5)


def test_one_apartment_is_checked_alone(context: AdminContext, ledger: SlowLedger) -> None:
    ledger.broken_rules = [BROKEN]
    answer = handle("reconcile", {"apartment_id": str(FLATS[6])}, context=context)
    assert (answer["code"], answer["data"]["checked"]) == ("ledger_differs", 1)
    assert list(ledger.checked) == [FLATS[6]]
    unknown = handle("reconcile", {"apartment_id": str(APARTMENT)}, context=context)
    assert unknown["code"] == "apartment_not_found"
