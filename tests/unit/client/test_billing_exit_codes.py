"""Each exit code of the command, with the sentence that says what to do."""

from __future__ import annotations

import json

import click
import pytest
from billing_client.cli.context import choose_apartment
from billing_client.models import Apartment
from click.testing import Result

from tests.support.fake_api import FakeApi, Fault
from tests.support.fake_ledger import FakeApartment, FakeUser, bill
from tests.support.fake_server import closed_port
from tests.unit.client.billing_runs import Billing


@pytest.fixture
def owed(flat: FakeApartment) -> FakeApartment:
    flat.debts = [bill()]
    return flat


def ends(result: Result, code: int, *told: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    for text in told:
        assert text in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pay"], "Select bills with"),
        (["pay", "--period", "October"], "use YYYY-MM, for example 2026-10"),
        (["pay", "--resume", "--all"], "be combined"),
        (["debts", "--apartment", "9"], "No apartment"),
        (["debts", "--url", "ftp://nowhere"], "not an http"),
        (["debts", "--timeout", "nan"], "seconds"),
        (["debts", "--timeout", "0"], "range"),
        (["history", "--csv", "--json"], "either --csv or --json"),
        (["fly"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2(at_home: Billing, words: list[str], told: str) -> None:
    ends(at_home.run(*words), 2, told)


def test_a_number_is_a_place_in_the_list_and_never_the_start_of_an_id() -> None:
    home = Apartment("29999999-0000-4000-8000-000000000000", "1 Mill Lane")
    assert choose_apartment((home,), "1") == home.apartment_id
    assert choose_apartment((home,), "29999999") == home.apartment_id
    for chosen in ("2", "299", "0"):
        with pytest.raises(click.UsageError, match="No apartment"):
            choose_apartment((home,), chosen)


def test_two_apartments_and_no_choice_end_with_2(
    at_home: Billing, api: FakeApi, ada: FakeUser
) -> None:
    api.ledger.add_apartment(ada, "2 Mill Lane")
    at_home.ok("apartments", "--refresh")
    ends(at_home.run("debts"), 2, "Select an apartment", "1 Mill Lane", "2 Mill Lane")


def test_a_question_without_anybody_to_answer_ends_with_2(
    at_home: Billing, owed: FakeApartment
) -> None:
    ends(at_home.run("pay", "--all", answers=""), 2, "Use --yes to skip")
    assert owed.events == []


def test_a_wrong_password_ends_with_3(billing: Billing, ada: FakeUser) -> None:
    result = billing.run("login", "ada", "--password-stdin", answers="wrong\n")
    ends(result, 3, "Check username and password")
    assert "wrong" not in result.output


@pytest.mark.parametrize(
    "choice", [["--bill", "ffffffff"], ["--utility", "steam"], ["--period", "1999-01"]]
)
def test_a_choice_that_fits_nothing_ends_with_3(
    at_home: Billing, owed: FakeApartment, choice: list[str]
) -> None:
    ends(at_home.run("pay", *choice, "--yes"), 3, "open bill")


def test_mixed_currencies_end_with_3(at_home: Billing, owed: FakeApartment) -> None:
    owed.debts.append(bill(currency="JPY"))
    ends(at_home.run("pay", "--all", "--yes"), 3, "51.40 EUR and 5,140 JPY")


def test_an_unknown_receipt_ends_with_3(at_home: Billing) -> None:
    ends(at_home.run("receipt", "R-9"), 3, "no receipt 'R-9'")


def test_history_that_was_never_fetched_ends_with_3_offline(at_home: Billing) -> None:
    ends(at_home.run("history", "--offline"), 3, "No history of this apartment")


def test_an_apartment_of_somebody_else_ends_with_3(at_home: Billing, api: FakeApi) -> None:
    theirs = api.ledger.add_apartment(api.ledger.add_user("bob"))
    ends(at_home.run("debts", "--apartment", theirs.apartment_id), 3, "billing apartments")


def test_a_failure_of_the_service_ends_with_4(at_home: Billing, api: FakeApi) -> None:
    api.failing["utils"] = "service_unavailable"
    ends(at_home.run("debts"), 4, "Try again in a minute", "request id")


def test_a_busy_gateway_ends_with_4(at_home: Billing, api: FakeApi) -> None:
    api.faults = [Fault("status", "POST", status=429, retry_after=77, times=9)]
    ends(at_home.run("debts"), 4, "Try again in 77 seconds")


def test_a_file_that_can_not_be_written_ends_with_4(at_home: Billing) -> None:
    ends(at_home.run("history", "--csv", "/nowhere/at/all.csv"), 4, "/nowhere/at/all.csv")


def test_no_answer_in_time_ends_with_5(at_home: Billing, api: FakeApi) -> None:
    api.silent = {"utils"}
    ends(at_home.run("debts", "--timeout", "0.3"), 5, "longer --timeout")


def test_a_payment_without_an_answer_ends_with_5_and_is_resumed(
    at_home: Billing, api: FakeApi, owed: FakeApartment
) -> None:
    api.silent = {"payments"}
    ends(at_home.run("pay", "--all", "--yes", "--timeout", "0.5"), 5, "billing pay --resume")
    ends(at_home.run("pay", "--resume", "--timeout", "0.5"), 5, "billing pay --resume")
    api.silent = set()
    shown = at_home.ok("pay", "--resume")
    assert "The pending payment was made." in shown
    assert "51.40 EUR" in shown
    assert len(owed.events) == 1
    assert "No pending payments" in at_home.ok("pay", "--resume")


def test_any_later_payment_fetches_the_open_outcome_first(
    at_home: Billing, api: FakeApi, owed: FakeApartment
) -> None:
    owed.debts.append(bill(utility="water"))
    api.faults = [Fault("drop_after", "POST", "payments", times=9)]
    ends(at_home.run("pay", "--utility", "gas", "--yes"), 7, "billing pay --resume")
    api.faults = []
    found = at_home.json("pay", "--utility", "water", "--yes")
    assert [item["receipt"]["lines"][0]["utility"] for item in found["resumed"]] == ["gas"]
    assert found["receipt"]["lines"][0]["utility"] == "water"
    assert len(owed.events) == 2


def test_an_earlier_payment_that_was_rejected_is_told_plainly(
    at_home: Billing, api: FakeApi, owed: FakeApartment
) -> None:
    api.silent = {"payments"}
    at_home.run("pay", "--all", "--yes", "--timeout", "0.5")
    api.silent = set()
    owed.debts[0]["amount_minor"] += 1
    ends(at_home.run("pay", "--resume"), 3, "The pending payment was not made")
    assert "No pending payments" in at_home.ok("pay", "--resume")


def test_an_open_outcome_can_be_given_up(
    at_home: Billing, api: FakeApi, owed: FakeApartment
) -> None:
    api.failing["payments"] = "payment_outcome_unknown"
    ends(at_home.run("pay", "--all", "--yes"), 4, "billing pay --resume")
    assert "1 pending payment discarded" in at_home.ok("pay", "--forget")
    assert "No pending payments" in at_home.ok("pay", "--resume")


@pytest.mark.parametrize("words", [["debts"], ["apartments"], ["history"], ["pay", "--all"]])
def test_without_a_login_everything_ends_with_6(billing: Billing, words: list[str]) -> None:
    ends(billing.run(*words), 6, "Run `billing login`.")


def test_a_session_that_is_over_ends_with_6(at_home: Billing, api: FakeApi) -> None:
    api.expire_tokens(refresh_too=True)
    ends(at_home.run("debts"), 6, "Your login has expired", "billing login")


def test_a_login_elsewhere_is_none_here(at_home: Billing) -> None:
    elsewhere = f"http://127.0.0.1:{closed_port()}"
    ends(at_home.run("debts", "--url", elsewhere), 6, elsewhere)


def test_no_connection_ends_with_7(billing: Billing) -> None:
    billing.url = f"http://127.0.0.1:{closed_port()}"
    result = billing.run("login", "ada", "--password-stdin", answers="secret\n")
    ends(result, 7, billing.url, "BILLING_URL")


def test_errors_as_json_stand_on_stderr_alone(at_home: Billing, api: FakeApi) -> None:
    api.failing["utils"] = "internal_error"
    result = at_home.run("debts", "--json")
    error = json.loads(result.stderr)["error"]
    assert (error["code"], error["exit_code"], result.exit_code) == ("internal_error", 4, 4)
    assert error["advice"]
    assert result.stdout == ""
