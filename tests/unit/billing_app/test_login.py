"""A resident logs in, or stays logged in."""

from __future__ import annotations

from uuid import uuid4

import pytest

from billing_app.domain.errors import Rejection
from billing_app.ports.identity import Credentials
from billing_app.use_cases.login import log_in, refresh_session
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeIdentity

SECRET = Credentials("ada", "secret")


def test_a_login_gives_the_name_the_tokens_and_the_apartments() -> None:
    ledger, identity = FakeLedger(), FakeIdentity()
    homes = sorted([ledger.new_apartment(), ledger.new_apartment()])
    ada = ledger.new_resident("Ada", *homes)
    identity.users["ada"] = ("secret", ada)
    session = log_in(identity=identity, ledger=ledger, credentials=SECRET)
    assert (session.account.name, session.tokens.id_token) == ("Ada", f"id-{ada}")
    assert [one.apartment_id for one in session.account.apartments] == homes
    token = session.tokens.refresh_token
    assert refresh_session(identity=identity, ledger=ledger, refresh_token=token) == session


def test_a_login_without_a_resident_is_told_so() -> None:
    identity = FakeIdentity()
    identity.users["ada"] = ("secret", uuid4())
    with pytest.raises(Rejection, match="resident_not_found"):
        log_in(identity=identity, ledger=FakeLedger(), credentials=SECRET)


def test_credentials_and_tokens_are_not_printed() -> None:
    shown = repr(Credentials("ada", "pa55", "n3w"))
    assert not any(secret in shown for secret in ("ada", "pa55", "n3w"))
