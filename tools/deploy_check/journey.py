"""The journey of a resident through the deployed service, by the client that residents use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from billing_client import BillingClient, HistoryState, Receipt

from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.operator_client import OperatorLedger, Resident

_AMOUNTS_MINOR = (5140, 3000, 1160)
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What the journey left behind."""

    resident: Resident
    receipt: Receipt


def travel(url: str, ledger: OperatorLedger, say: Callable[[str], None]) -> Outcome:
    """Log in, look at the debts, pay two of three, read the history; then reverse the payment.

    Raises RehearsalError where the service answers otherwise than it should, and the client's
    errors where it does not answer.
    """
    ledger.add_providers()
    resident = ledger.add_resident()
    bills = ledger.import_bills(resident, _AMOUNTS_MINOR)
    say("an operator added a resident with three bills")
    with BillingClient(url, timeout_seconds=_ANSWER_SECONDS) as client:
        return _as_resident(client, resident, bills, ledger, say)


def _as_resident(
    client: BillingClient,
    resident: Resident,
    bills: list[str],
    ledger: OperatorLedger,
    say: Callable[[str], None],
) -> Outcome:
    home = resident.apartment_id
    login = client.login(resident.username, resident.password)
    require([one.apartment_id for one in login.apartments] == [home], "the login's apartments")
    say(f"{login.resident_name} logged in")
    _require_debts(client, home, set(bills))
    say("all three debts are shown")
    receipt = client.pay(home, bills[:2], expected_total_minor=sum(_AMOUNTS_MINOR[:2]))
    require(receipt.total.minor == sum(_AMOUNTS_MINOR[:2]), "the receipt's total")
    say(f"two were paid, receipt {receipt.receipt_number}")
    _require_debts(client, home, {bills[2]})
    paid = {("payment", bill) for bill in bills[:2]}
    held = _require_history(client, HistoryState(home), paid)
    say("the history holds the payment")
    ledger.ask(
        "reverse_payment",
        {"payment_id": receipt.payment_id, "reason": "rehearsal", "operator": "rehearsal"},
    )
    _require_history(client, held, paid | {("reversal", bill) for bill in bills[:2]})
    say("the payment was reversed, and the history tells")
    client.refresh()
    require(ledger.ask("reconcile", {})["agrees"], "the reconciliation")
    return Outcome(resident, receipt)


def require(truth: bool, what: str) -> None:
    """Raise RehearsalError unless it is true."""
    if not truth:
        raise RehearsalError(f"The journey: {what} is not as it should be.")


def _require_debts(client: BillingClient, home: str, bills: set[str]) -> None:
    shown = {debt.bill_id for debt in client.debts(home).debts}
    require(shown == bills, f"the list of debts ({len(shown)} of {len(bills)})")


def _require_history(
    client: BillingClient, held: HistoryState, expected: set[tuple[str, str]]
) -> HistoryState:
    synced = client.sync_history(held)
    found = {(event.event, event.bill_id) for event in synced.events}
    require(found == expected, f"the history ({sorted(found)})")
    return synced
