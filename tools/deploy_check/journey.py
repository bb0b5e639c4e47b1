"""A resident's journey through the deployed service, with the client that residents use."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from billing_client import BillingClient, HistoryState

from tools.deploy_check.errors import DeployCheckError
from tools.operator_client import OperatorClient, new_bill

_AMOUNTS_MINOR = (5140, 3000, 1160)
_ANSWER_SECONDS = 60.0
_PROVIDER = "north-gas"
_AUDIT = {"reason": "deployment check", "operator": "deploy-check"}


@dataclass(frozen=True)
class Resident:
    """A resident who can log in, their `sub` and their apartment."""

    username: str
    password: str
    subject: str
    apartment_id: str


def add_resident(operator: OperatorClient) -> Resident:
    """Add a resident with a login that works at once, and an apartment."""
    username, password = f"resident-{uuid4().hex[:10]}", f"Aa1!{secrets.token_urlsafe(18)}"
    address = "Vulytsia Sadova 1, apt. 2"
    made = operator.add_resident(username, "Олена Коваленко", password, address=address)
    return Resident(username, password, made["subject"], made["apartment_id"])


def import_bills(
    operator: OperatorClient, apartment_id: str, amounts_minor: Sequence[int]
) -> list[str]:
    """Issue a bill of each amount; return their ids."""
    lines = [new_bill(apartment_id, _PROVIDER, amount) for amount in amounts_minor]
    return operator.import_bills(lines)


def make_journey(url: str, operator: OperatorClient, say: Callable[[str], None]) -> Resident:
    """Log in, look at the debts, pay two of three, read the history; then reverse the payment.

    Returns the resident. Errors of the client are raised as they are.

    Raises:
        DeployCheckError: the service answers otherwise than it should.
    """
    operator.add_provider(_PROVIDER, "Городской газ")
    resident = add_resident(operator)
    bills = import_bills(operator, resident.apartment_id, _AMOUNTS_MINOR)
    say("an operator added a resident with three bills")
    with BillingClient(url, timeout_seconds=_ANSWER_SECONDS) as client:
        _as_resident(client, resident, bills, operator, say)
    return resident


def _as_resident(
    client: BillingClient,
    resident: Resident,
    bills: list[str],
    operator: OperatorClient,
    say: Callable[[str], None],
) -> None:
    apartment, total = resident.apartment_id, sum(_AMOUNTS_MINOR[:2])
    login = client.login(resident.username, resident.password)
    _require([one.apartment_id for one in login.apartments] == [apartment], "the apartments")
    _require_debts(client, apartment, bills)
    say(f"{login.resident_name} logged in and owes three bills")
    receipt = client.pay(apartment, bills[:2], expected_total_minor=total)
    _require(receipt.total.minor == total, "the receipt's total")
    say(f"two were paid, receipt {receipt.receipt_number}")
    _require_debts(client, apartment, bills[2:])
    paid = [("payment", bill) for bill in sorted(bills[:2])]
    history = _require_history(client, HistoryState(apartment), paid)
    operator.do("reverse_payment", {"payment_id": receipt.payment_id, **_AUDIT})
    _require_history(client, history, paid + [("reversal", bill) for _, bill in paid])
    say("the payment was reversed, and the history has both")
    client.refresh()
    _require(operator.do("reconcile", {})["agrees"], "the reconciliation")


def _require(truth: bool, what: str) -> None:
    if not truth:
        raise DeployCheckError(f"The journey: {what} is not as it should be.")


def _require_debts(client: BillingClient, apartment: str, bills: Sequence[str]) -> None:
    """Require these bills, each once. Those of one day and utility come in the order of ids."""
    shown = [debt.bill_id for debt in client.debts(apartment).debts]
    _require(shown == sorted(bills), f"the list of debts ({shown}, not {sorted(bills)})")


def _require_history(
    client: BillingClient, state: HistoryState, expected: Sequence[tuple[str, str]]
) -> HistoryState:
    """Require these events, each once and in this order."""
    synced = client.sync_history(state)
    found = [(event.event, event.bill_id) for event in synced.events]
    _require(found == expected, f"the history ({found}, not {expected})")
    return synced


def use_other_operations(operator: OperatorClient, resident: Resident) -> None:
    """Have operators do what the journey had no reason to do.

    A second apartment is billed, its bill voided and the residency ended; somebody else's login is
    disabled.
    """
    apartment_id = operator.add_apartment("Vulytsia Sadova 3")
    residency = {"username": resident.username, "apartment_id": apartment_id}
    operator.do("grant_residency", residency)
    [bill] = import_bills(operator, apartment_id, [700])
    operator.do("void_bill", {"bill_id": bill, **_AUDIT})
    operator.do("end_residency", residency)
    operator.do("disable_login", {"username": add_resident(operator).username})
