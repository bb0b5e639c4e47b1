"""Adding a resident takes several steps, any of which may have been done before."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

import pytest

from billing_app.domain.errors import Rejection, Unavailable
from billing_app.use_cases.residents import (
    AddedResident,
    FirstPassword,
    NewResident,
    add_resident,
    disable_login,
)
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeUserDirectory

PASSWORD = "Correct-Horse-9"
ANNA = NewResident(
    username="anna",
    name="Анна",
    password=FirstPassword(PASSWORD, permanent=True),
    address="Main street 1",
)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def directory() -> FakeUserDirectory:
    return FakeUserDirectory()


def add(resident: NewResident, ledger: FakeLedger, directory: FakeUserDirectory) -> AddedResident:
    return add_resident(resident=resident, since=NOW, ledger=ledger, directory=directory)


def test_all_four_things_are_made(ledger: FakeLedger, directory: FakeUserDirectory) -> None:
    told = add(ANNA, ledger, directory)
    assert told.made == ("login", "resident", "apartment", "residency")
    subject = directory.accounts["anna"].subject
    assert ledger.residents == {subject: "Анна"}
    assert list(ledger.residencies) == [(subject, told.apartment_id)]
    assert (directory.accounts["anna"].password, directory.accounts["anna"].fresh) == (
        PASSWORD,
        False,
    )


def test_a_second_run_says_that_nothing_was_left(
    ledger: FakeLedger, directory: FakeUserDirectory
) -> None:
    told = add(ANNA, ledger, directory)
    with pytest.raises(Rejection) as caught:
        add(ANNA, ledger, directory)
    assert caught.value.code == "resident_exists"
    assert caught.value.data == {**asdict(told), "made": ()}
    assert len(ledger.apartments) == 1


class Dying:
    """Makes one call of an object take effect and its answer get lost."""

    def __init__(self, whole: Any, name: str) -> None:
        self._whole = whole
        self._name = name

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._whole, name)
        return self._die(method) if name == self._name else method

    def _die(self, method: Any) -> Any:
        def call(**kwargs: Any) -> None:
            method(**kwargs)
            raise Unavailable("the answer is lost")

        return call


@pytest.mark.parametrize(
    "step",
    ["create", "set_password", "add_resident", "add_apartment", "grant_residency"],
)
def test_a_run_that_broke_off_is_completed_by_the_next(
    ledger: FakeLedger, directory: FakeUserDirectory, step: str
) -> None:
    with pytest.raises(Unavailable):
        add_resident(
            resident=ANNA,
            since=NOW,
            ledger=Dying(ledger, step),
            directory=Dying(directory, step),
        )
    if step == "grant_residency":
        with pytest.raises(Rejection, match="resident_exists"):
            add(ANNA, ledger, directory)
    else:
        add(ANNA, ledger, directory)
    account = directory.accounts["anna"]
    assert (account.password, account.fresh) == (PASSWORD, False)
    assert list(ledger.residents) == [account.subject]
    assert len(ledger.apartments) == len(ledger.residencies) == 1


def test_a_login_that_is_in_use_keeps_its_password(
    ledger: FakeLedger, directory: FakeUserDirectory
) -> None:
    directory.create(username="anna", email=None, password="her own secret")
    directory.accounts["anna"].fresh = False
    assert "login" not in add(ANNA, ledger, directory).made
    assert directory.accounts["anna"].password == "her own secret"


def test_a_disabled_login_is_not_taken(ledger: FakeLedger, directory: FakeUserDirectory) -> None:
    directory.create(username="anna", email=None, password=PASSWORD)
    directory.disable(username="anna")
    with pytest.raises(Rejection) as caught:
        add(ANNA, ledger, directory)
    assert caught.value.code == "login_disabled"
    assert ledger.residents == {}


def test_a_new_login_needs_a_way_to_its_first_password(
    ledger: FakeLedger, directory: FakeUserDirectory
) -> None:
    with pytest.raises(Rejection) as caught:
        add(replace(ANNA, password=None), ledger, directory)
    assert caught.value.code == "password_or_email_required"
    assert directory.accounts == {}


def test_without_a_password_it_is_mailed(ledger: FakeLedger, directory: FakeUserDirectory) -> None:
    add(replace(ANNA, password=None, email="anna@example.org"), ledger, directory)
    assert directory.accounts["anna"].password is None
    assert directory.accounts["anna"].email == "anna@example.org"


def test_an_apartment_that_does_not_exist_is_told(
    ledger: FakeLedger, directory: FakeUserDirectory
) -> None:
    with pytest.raises(Rejection) as caught:
        add(replace(ANNA, address=None, apartment_id=uuid4()), ledger, directory)
    assert caught.value.code == "apartment_not_found"


def test_a_password_is_never_printed() -> None:
    assert PASSWORD not in repr(ANNA)


def test_nobody_is_found_under_an_unknown_username(directory: FakeUserDirectory) -> None:
    with pytest.raises(Rejection) as caught:
        disable_login(username="nobody", directory=directory)
    assert caught.value.code == "login_not_found"
