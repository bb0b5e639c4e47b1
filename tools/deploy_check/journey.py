"""A resident's journey through the deployed service, with the client that residents use."""

from __future__ import annotations

from collections.abc import Callable

from billing_client import BillingClient, HistoryState

from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.operator_client import AUDIT, OperatorClient, Resident

_AMOUNTS_MINOR = (5140, 3000, 1160)
_ANSWER_SECONDS = 60.0


def make_journey(url: str, operators: OperatorClient, say: Callable[[str], None]) -> Resident:
    """Log in, look at the debts, pay two of three, read the history; then reverse the payment.

    Returns the resident. Errors of the client are raised as they are.

    Raises:
        DeployCheckError: the service answers otherwise than it should.
    """
    operators.add_provider()
    resident = operators.add_resident()
    bills = operators.import_bills(resident, _AMOUNTS_MINOR)
    say("an operator added a resident with three bills")
    with BillingClient(url, timeout_seconds=_ANSWER_SECONDS) as client:
        _as_resident(client, resident, bills, operators, say)
    return resident


def _as_resident(
    client: BillingClient,
    resident: Resident,
    bills: list[str],
    operators: OperatorClient,
    say: Callable[[str], None],
) -> None:
    apartment, total = resident.apartment_id, sum(_AMOUNTS_MINOR[:2])
    login = client.login(resident.username, resident.password)
    _require([one.apartment_id for one in login.apartments] == [apartment], "the apartments")
    _require_debts(client, apartment, set(bills))
    say(f"{login.resident_name} logged in and owes three bills")
    receipt = client.pay(apartment, bills[:2], expected_total_minor=total)
    _require(receipt.total.minor == total, "the receipt's total")
    say(f"two were paid, receipt {receipt.receipt_number}")
    _require_debts(client, apartment, {bills[2]})
    paid = {("payment", bill) for bill in bills[:2]}
    history = _require_history(client, HistoryState(apartment), paid)
    operators.ask("reverse_payment", {"payment_id": receipt.payment_id, **AUDIT})
    _require_history(client, history, paid | {("reversal", bill) for bill in bills[:2]})
    say("the payment was reversed, and the history has both")
    client.refresh()
    _require(operators.ask("reconcile", {})["agrees"], "the reconciliation")


def _require(truth: bool, what: str) -> None:
    if not truth:
        raise DeployCheckError(f"The journey: {what} is not as it should be.")


def _require_debts(client: BillingClient, apartment: str, bills: set[str]) -> None:
    shown = {debt.bill_id for debt in client.debts(apartment).debts}
    _require(shown == bills, f"the list of debts ({len(shown)} of {len(bills)})")


def _require_history(
    client: BillingClient, state: HistoryState, expected: set[tuple[str, str]]
) -> HistoryState:
    synced = client.sync_history(state)
    found = {(event.event, event.bill_id) for event in synced.events}
    _require(found == expected, f"the history ({sorted(found)})")
    return synced
