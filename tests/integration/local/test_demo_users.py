"""The demo's passwords are good whatever happened to an earlier start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from tools.local.clients import Clients
from tools.local.demo import ensure_user
from tools.local.demo_data import RESIDENTS
from tools.local.provision import Identity, provision_identity
from tools.local.settings import Settings

OLENA = RESIDENTS[0]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        url = "https://cognito-idp.eu-central-1.amazonaws.com"
        yield Clients(endpoint_url=url, region="eu-central-1")


@pytest.fixture
def identity(clients: Clients, tmp_path: Path) -> Identity:
    return provision_identity(clients, Settings(state=tmp_path))


def log_in(clients: Clients, identity: Identity, password: str) -> dict[str, Any]:
    answer = clients.cognito.initiate_auth(
        ClientId=identity.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": OLENA.username, "PASSWORD": password},
    )
    return dict(answer)


def ensure(clients: Clients, identity: Identity, password: str, *, known: bool) -> str:
    pool = identity.user_pool_id
    return ensure_user(clients, pool, OLENA, password=password, known=known)


def test_a_new_user_logs_in_with_the_password(clients: Clients, identity: Identity) -> None:
    ensure(clients, identity, "Demo-1-00001", known=False)
    assert "AuthenticationResult" in log_in(clients, identity, "Demo-1-00001")


def test_a_user_left_by_an_interrupted_start_gets_the_new_password(
    clients: Clients, identity: Identity
) -> None:
    left = ensure(clients, identity, "Demo-1-00001", known=False)
    assert ensure(clients, identity, "Demo-1-00002", known=False) == left
    assert "AuthenticationResult" in log_in(clients, identity, "Demo-1-00002")


def test_a_password_that_the_resident_changed_is_left_alone(
    clients: Clients, identity: Identity
) -> None:
    ensure(clients, identity, "Demo-1-00001", known=False)
    clients.cognito.admin_set_user_password(
        UserPoolId=identity.user_pool_id,
        Username=OLENA.username,
        Password="My-own-password-1",
        Permanent=True,
    )
    ensure(clients, identity, "Demo-1-00001", known=True)
    assert "AuthenticationResult" in log_in(clients, identity, "My-own-password-1")


def test_a_user_that_was_lost_is_made_with_the_password_that_is_known(
    clients: Clients, identity: Identity
) -> None:
    ensure(clients, identity, "Demo-1-00001", known=True)
    assert "AuthenticationResult" in log_in(clients, identity, "Demo-1-00001")
