"""A resident logs in, or stays logged in."""

from __future__ import annotations

from uuid import uuid4

import pytest

from billing_app.domain.errors import Rejection
from billing_app.ports.identity import Credentials
from billing_app.use_cases.login import log_in, refresh_session
from tests.support.fakes import FakeIdentity, FakeLedger


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def identity() -> FakeIdentity:
    return FakeIdentity()


def test_a_login_gives_the_name_the_tokens_and_the_apartments(
    ledger: FakeLedger, identity: FakeIdentity
) -> None:
    homes = [ledger.add_apartment(), ledger.add_apartment()]
    ada = ledger.add_resident("Ada", *homes)
    identity.users["ada"] = ("secret", ada)
    session = log_in(identity=identity, ledger=ledger, credentials=Credentials("ada", "secret"))
    assert session.account.name == "Ada"
    assert session.tokens.id_token == f"id-{ada}"
    assert [one.apartment_id for one in session.account.apartments] == homes
    again = refresh_session(
        identity=identity, ledger=ledger, refresh_token=session.tokens.refresh_token
    )
    assert again.account == session.account


def test_a_login_without_a_resident_is_told_so(ledger: FakeLedger, identity: FakeIdentity) -> None:
    identity.users["ada"] = ("secret", uuid4())
    with pytest.raises(Rejection, match="resident_not_found"):
        log_in(identity=identity, ledger=ledger, credentials=Credentials("ada", "secret"))


def test_credentials_and_tokens_are_not_printed() -> None:
    shown = repr(Credentials("ada", "pa55", "n3w"))
    assert "pa55" not in shown
    assert "n3w" not in shown
    assert "ada" not in shown
