"""What became of a payment is never lost and never told wrong, whatever happens on the way."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from billing_client import BillingClient, NotLoggedIn
from billing_client.cli.terminal import Terminal
from billing_client.files import ServiceFiles
from billing_client.storage import OneResidentsSession

from billing_app.ports.identity import SignedIn
from tests.support.billing_service import BillingService, Fault, FaultyTransport, Residency
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing
from tests.unit.client.conftest import MakeClient

OPEN = 8
# Of a proxy, a firewall or a network's login page; and one that can't be decoded.
FOREIGN = [
    *(
        pytest.param("proxy", status, id=str(status))
        for status in (200, 204, 301, 302, 401, 403, 404, 407, 408, 413, 429, 502)
    ),
    pytest.param("garbled", 200, id="garbled"),
]


@pytest.fixture
def owed(apartment: Residency) -> Residency:
    apartment.owes(a_debt())
    return apartment


def left_open(billing: Billing, service: BillingService) -> None:
    """Pay everything and get no answer."""
    service.silent = {"payments"}
    result = billing.run("pay", "--all", "--yes")
    assert (result.exit_code, "billing pay --resume" in result.stderr) == (OPEN, True)
    service.silent = set()


def pay_again(billing: Billing, *words: str) -> dict[str, Any]:
    result = billing.run("pay", *words, "--yes", "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(("kind", "status"), FOREIGN)
def test_an_answer_of_somebody_else_leaves_a_payment_open(
    logged_in: Billing, wire: FaultyTransport, owed: Residency, kind: str, status: int, method: str
) -> None:
    """In the first run and in each later one, until the service itself has answered."""
    wire.faults = [Fault(kind, method, "payments", times=99, status=status)]
    assert logged_in.run("pay", "--all", "--yes", "--timeout", "3").exit_code == OPEN
    assert logged_in.run("pay", "--resume", "--timeout", "3").exit_code == OPEN
    wire.faults = []
    assert "The pending payment was made." in logged_in.ok("pay", "--resume")
    assert "No pending payments." in logged_in.ok("pay", "--resume")
    assert len(owed.events) == 1


@pytest.mark.parametrize(("kind", "status"), FOREIGN)
def test_a_reply_that_can_not_be_taken_off_its_queue_is_shown_all_the_same(
    logged_in: Billing, wire: FaultyTransport, owed: Residency, kind: str, status: int
) -> None:
    wire.faults = [Fault(kind, "DELETE", "payments", times=99, status=status)]
    assert "Receipt R-2026-0000000001" in logged_in.ok("pay", "--all", "--yes")
    assert logged_in.files("pending/*.json") == []


@pytest.mark.parametrize(
    ("waited", "made"), [(-86_400, True), (89 * 60, True), (91 * 60, False), (None, False)]
)
def test_a_payment_that_did_not_arrive_is_made_within_90_minutes_or_not_at_all(
    logged_in: Billing,
    service: BillingService,
    wire: FaultyTransport,
    owed: Residency,
    waited: int | None,
    made: bool,
) -> None:
    """Also if the clock was set back a day, and if an older client stored no time."""
    wire.faults = [Fault("drop_before", "POST", "payments", times=99)]
    assert logged_in.run("pay", "--all", "--yes").exit_code == OPEN
    wire.faults = []
    [path] = logged_in.files("pending/*.json")
    stored = json.loads(path.read_text())
    asked_at = {} if waited is None else {"asked_at": int(service.clock.time()) - waited}
    path.write_text(json.dumps({**stored, "asked_at": None, **asked_at}))
    result = logged_in.run("pay", "--resume")
    assert (result.exit_code, len(owed.events)) == ((0, 1) if made else (3, 0))
    assert ("Nothing was paid. Run `billing debts`" in result.stderr) != made
    assert "No pending payments." in logged_in.ok("pay", "--resume")


def test_a_pending_payment_that_is_rejected_ends_with_3(
    logged_in: Billing, service: BillingService, owed: Residency
) -> None:
    left_open(logged_in, service)
    service.ledger.bills.clear()
    result = logged_in.run("pay", "--resume")
    assert (result.exit_code, "was not made" in result.stderr) == (3, True)
    assert logged_in.files("pending/*.json") == []


def test_the_same_command_again_ends_with_the_receipt_of_the_first(
    logged_in: Billing, service: BillingService, owed: Residency
) -> None:
    left_open(logged_in, service)
    owed.owes(a_debt(utility="water"))
    found = pay_again(logged_in, "--utility", "gas")
    assert found["receipt"] == found["resumed"][0]["receipt"]
    assert [line["utility"] for line in found["receipt"]["lines"]] == ["gas"]
    assert len(owed.events) == 1


def test_a_payment_of_another_apartment_answers_no_command_for_this_one(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    other = service.add_apartment(apartment.subject)
    logged_in.ok("apartments", "--refresh")
    apartment.owes(a_debt())
    service.silent = {"payments"}
    first, second = (["--apartment", one.apartment_id] for one in (apartment, other))
    assert logged_in.run("pay", *first, "--all", "--yes").exit_code == OPEN
    service.silent = set()
    result = logged_in.run("pay", *second, "--utility", "gas", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["receipt"]) == (3, None)


def test_a_bill_that_is_owed_again_can_be_selected(
    logged_in: Billing, service: BillingService, wire: FaultyTransport, owed: Residency
) -> None:
    """Paid without an answer, and reversed before the payment is resumed."""
    (bill,) = service.ledger.bills
    wire.faults = [Fault("drop_before", "GET", "payments", times=99)]
    assert logged_in.run("pay", "--all", "--yes", "--timeout", "3").exit_code == OPEN
    wire.faults = []
    (payment,) = service.ledger.payments
    service.ledger.reverse_payment(payment_id=payment, reason="r", operator="o")
    assert pay_again(logged_in, "--bill", str(bill))["receipt"]["total_minor"] == 5140
    assert len(owed.events) == 3


@pytest.mark.parametrize("after", ["logout", "login"])
def test_a_receipt_is_shown_whoever_is_logged_in_by_then(
    logged_in: Billing,
    service: BillingService,
    owed: Residency,
    monkeypatch: pytest.MonkeyPatch,
    after: str,
) -> None:
    service.add_apartment(service.add_resident("zoe"))
    shown = Terminal.answer

    def meanwhile(terminal: Terminal, value: Any) -> None:
        monkeypatch.setattr(Terminal, "answer", shown)
        logged_in.login("zoe") if after == "login" else logged_in.ok("logout")
        terminal.answer(value)

    monkeypatch.setattr(Terminal, "answer", meanwhile)
    assert pay_again(logged_in, "--all")["receipt"]["total_minor"] == 5140
    assert logged_in.files("pending/*.json") == []


def test_of_several_selected_bills_only_those_that_are_still_owed_are_paid(
    logged_in: Billing, service: BillingService, owed: Residency
) -> None:
    left_open(logged_in, service)
    owed.owes(a_debt(utility="water"))
    found = pay_again(logged_in, "--utility", "gas", "--utility", "water")
    assert [line["utility"] for line in found["resumed"][0]["receipt"]["lines"]] == ["gas"]
    assert [line["utility"] for line in found["receipt"]["lines"]] == ["water"]
    assert len(owed.events) == 2


@pytest.mark.parametrize(
    ("words", "code"), [(["--bill", "ffff"], 3), (["--all"], 2), (["--apartment", "9", "--all"], 2)]
)
def test_the_outcome_of_an_earlier_payment_is_told_whatever_comes_after_it(
    logged_in: Billing, service: BillingService, owed: Residency, words: list[str], code: int
) -> None:
    left_open(logged_in, service)
    owed.owes(a_debt(utility="water"))
    result = logged_in.run("pay", *words, "--json", answers="")
    assert result.exit_code == code
    assert json.loads(result.stdout)["resumed"][0]["receipt"]["total_minor"] == 5140
    assert "nothing was" not in result.stderr


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), RuntimeError("a bug of ours")]
)
def test_a_receipt_that_could_not_be_shown_is_shown_by_the_next_run(
    logged_in: Billing, owed: Residency, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(_terminal: Terminal, _value: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Terminal, "answer", failing)
        result = logged_in.run("pay", "--all", "--yes", "--json")
    assert result.exit_code == OPEN
    assert (
        str(error.args[-1])
        in json.loads(result.stderr[result.stderr.index("{") :])["error"]["message"]
    )
    assert pay_again(logged_in, "--all")["resumed"][0]["receipt"]["total_minor"] == 5140
    assert len(owed.events) == 1


def test_a_pending_payment_that_can_not_be_read_is_named_and_stops_no_other(
    logged_in: Billing, service: BillingService, owed: Residency
) -> None:
    left_open(logged_in, service)
    (good,) = logged_in.files("pending/*.json")
    texts = [good.read_text()[:40], '{"format":1,"operation":"payments"}', "[" * 100_000]
    broken = [good.with_name(f"broken-{number}.json") for number in range(len(texts))]
    for path, text in zip(broken, texts, strict=True):
        path.write_text(text)
    result = logged_in.run("pay", "--resume")
    assert "The pending payment was made." in result.stdout
    assert all(str(path) in result.stderr.replace("\n", "") for path in broken)
    owed.owes(a_debt())
    left_open(logged_in, service)
    assert "4 pending payments discarded" in logged_in.ok("pay", "--forget")
    assert logged_in.files("pending/*.json") == []


def test_a_renewal_replaces_no_session_but_its_own(
    logged_in: Billing, service: BillingService
) -> None:
    """Another resident logs in, or this one logs out, while the token is renewed."""
    service.add_apartment(service.add_resident("zoe"))
    store = ServiceFiles(logged_in.folder, logged_in.url).session
    meanwhiles: list[tuple[Callable[[], object], str | None]] = [
        (lambda: logged_in.login("zoe"), "zoe"),
        (store.clear, None),
    ]
    for meanwhile, expected in meanwhiles:
        logged_in.login()
        session = store.load()
        assert session is not None
        meanwhile()
        assert not store.replace(session, session)
        found = store.load()
        assert (found and found.username) == expected


def test_a_renewal_that_comes_late_replaces_no_other_login(
    client: BillingClient, service: BillingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add_apartment(service.add_resident("zoe"))
    renew = service.identity.refresh

    def renew_while_zoe_logs_in(*, refresh_token: str) -> SignedIn:
        client.login("zoe", "secret")
        return renew(refresh_token=refresh_token)

    monkeypatch.setattr(service.identity, "refresh", renew_while_zoe_logs_in)
    with pytest.raises(NotLoggedIn, match="session_replaced"):
        client.refresh()
    assert client.session is not None
    assert client.session.username == "zoe"


def test_a_command_acts_for_the_resident_who_began_it(
    make_client: MakeClient, service: BillingService, logged_in: Billing
) -> None:
    files = ServiceFiles(logged_in.folder, logged_in.url)
    zoe = service.add_apartment(service.add_resident("zoe"))
    zoe.owes(a_debt())
    client: BillingClient = make_client(sessions=OneResidentsSession(files.session))
    assert client.session is not None
    logged_in.login("zoe")
    with pytest.raises(NotLoggedIn) as refused:
        client.pay(zoe.apartment_id, ["5a3c1c9e-6a52-4f0e-8f8e-2d7b0c1f3a11"])
    assert refused.value.code == "session_replaced"
    assert zoe.events == []


def test_the_rejection_of_another_resident_says_nothing_about_a_payment(
    client: BillingClient, service: BillingService, wire: FaultyTransport, owed: Residency
) -> None:
    """The answer to the first attempt is lost; the next one goes with the token of Zoe."""
    service.add_apartment(service.add_resident("zoe"))
    (bill,) = service.ledger.bills

    class LostWhileZoeLogsIn(Fault):
        def happens(self, request: httpx.Request) -> bool:
            happens = super().happens(request)
            if happens:
                client.login("zoe", "secret")
            return happens

    wire.faults = [LostWhileZoeLogsIn("drop_after", "POST", "payments")]
    with pytest.raises(NotLoggedIn) as refused:
        client.pay(owed.apartment_id, [str(bill)])
    assert (refused.value.code, refused.value.pending is not None) == ("session_replaced", True)
    assert len(owed.events) == 1
