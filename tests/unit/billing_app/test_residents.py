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
)
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeLogin, FakeUserDirectory

PASSWORD = "Correct-Horse-9"
ANNA = NewResident(
    username="anna",
    name="Анна",
    password=FirstPassword(PASSWORD, permanent=True),
    address="Main street 1",
)


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


class Setup:
    """A ledger and a directory in which residents are added."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.directory = FakeUserDirectory()

    def add(self, resident: NewResident = ANNA, *, dying_at: str = "") -> AddedResident:
        """Add a resident; the answer to the step `dying_at` is lost."""
        return add_resident(
            resident=resident,
            since=NOW,
            ledger=Dying(self.ledger, dying_at),
            directory=Dying(self.directory, dying_at),
        )

    def rejection(self, resident: NewResident = ANNA) -> Rejection:
        """Add a resident in vain."""
        with pytest.raises(Rejection) as caught:
            self.add(resident)
        return caught.value

    @property
    def anna(self) -> FakeLogin:
        """The login of Anna."""
        return self.directory.accounts["anna"]


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_all_four_things_are_made(setup: Setup) -> None:
    told = setup.add()
    assert told.made == ("login", "resident", "apartment", "residency")
    assert setup.ledger.residents == {setup.anna.subject: "Анна"}
    [residency] = setup.ledger.residencies
    assert (residency.subject, residency.apartment_id) == (setup.anna.subject, told.apartment_id)
    assert (setup.anna.password, setup.anna.fresh) == (PASSWORD, False)


def test_a_second_run_says_that_nothing_was_left(setup: Setup) -> None:
    told, rejection = setup.add(), setup.rejection()
    assert rejection.code == "resident_exists"
    assert rejection.data == {**asdict(told), "made": (), "kept": ("password", "since")}
    assert "ignored: password, since" in rejection.for_operator().message
    assert len(setup.ledger.apartments) == 1


@pytest.mark.parametrize(
    "step",
    ["create", "set_password", "add_resident", "add_apartment", "grant_residency"],
)
def test_a_run_that_broke_off_is_completed_by_the_next(setup: Setup, step: str) -> None:
    with pytest.raises(Unavailable):
        setup.add(dying_at=step)
    if step == "grant_residency":
        assert setup.rejection().code == "resident_exists"
    else:
        setup.add()
    assert (setup.anna.password, setup.anna.fresh) == (PASSWORD, False)
    assert list(setup.ledger.residents) == [setup.anna.subject]
    assert len(setup.ledger.apartments) == len(setup.ledger.residencies) == 1


def test_a_login_that_is_in_use_keeps_its_password(setup: Setup) -> None:
    setup.directory.create(username="anna", email=None, password="her own secret")
    setup.anna.fresh = False
    assert "login" not in setup.add().made
    assert setup.anna.password == "her own secret"


@pytest.mark.parametrize(
    "other", [{"name": "Анна Б."}, {"email": "other@example.org"}], ids=["name", "email"]
)
@pytest.mark.parametrize("permanent", [True, False])
def test_a_username_of_somebody_else_changes_nothing_and_gives_nothing(
    setup: Setup, other: dict[str, Any], permanent: bool
) -> None:
    first = replace(ANNA, password=FirstPassword(PASSWORD, permanent=permanent))
    setup.add(first)
    before = (asdict(setup.anna), list(setup.ledger.residencies))
    mistyped = replace(
        first, **other, address="2", password=FirstPassword("Another-Horse-9", permanent=False)
    )
    rejection = setup.rejection(mistyped)
    assert rejection.code == "resident_differs"
    assert next(iter(other)) in rejection.for_operator().message
    assert (asdict(setup.anna), list(setup.ledger.residencies)) == before


def test_a_first_password_that_was_replaced_is_told(setup: Setup) -> None:
    fresh = replace(ANNA, password=FirstPassword(PASSWORD, permanent=False))
    setup.add(fresh)
    assert setup.add(fresh).made == ("first password",)


def test_a_disabled_login_is_not_taken(setup: Setup) -> None:
    setup.directory.create(username="anna", email=None, password=PASSWORD)
    setup.directory.disable(username="anna")
    assert setup.rejection().code == "login_disabled"
    assert setup.ledger.residents == {}


def test_a_new_login_needs_a_way_to_its_first_password(setup: Setup) -> None:
    assert setup.rejection(replace(ANNA, password=None)).code == "password_or_email_required"
    assert setup.directory.accounts == {}


def test_without_a_password_it_is_mailed(setup: Setup) -> None:
    setup.add(replace(ANNA, password=None, email="anna@example.org"))
    assert (setup.anna.password, setup.anna.email) == (None, "anna@example.org")


def test_an_apartment_that_does_not_exist_is_told(setup: Setup) -> None:
    nowhere = replace(ANNA, address=None, apartment_id=uuid4())
    assert setup.rejection(nowhere).code == "apartment_not_found"


def test_a_password_is_never_printed() -> None:
    assert PASSWORD not in repr(ANNA)
