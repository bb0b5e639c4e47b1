"""A fake service over real HTTP, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from billing_client import BillingClient
from billing_client.transport import SystemClock

from tests.support.fake_api import FakeApi
from tests.support.fake_ledger import FakeApartment, FakeUser
from tests.unit.client.billing_runs import Billing

MakeClient = Callable[..., BillingClient]


class BriskClock(SystemClock):
    """The clock of this machine, with shorter pauses: tests of pauses themselves take the real."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 10)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def ada(api: FakeApi) -> FakeUser:
    return api.ledger.add_user()


@pytest.fixture
def flat(api: FakeApi, ada: FakeUser) -> FakeApartment:
    return api.ledger.add_apartment(ada)


@pytest.fixture
def url(api: FakeApi) -> Iterator[str]:
    with api.served() as address:
        yield address


@pytest.fixture
def make_client(url: str) -> Iterator[MakeClient]:
    clients: list[BillingClient] = []

    def make(timeout_seconds: float = 5.0, **more: object) -> BillingClient:
        settings: dict[str, Any] = {"clock": BriskClock(), **more}
        client = BillingClient(url, timeout_seconds=timeout_seconds, **settings)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client: MakeClient, flat: FakeApartment) -> BillingClient:
    """A client of a resident who is logged in and has one apartment."""
    made = make_client()
    made.login("ada", "secret")
    return made


@pytest.fixture
def billing(url: str, tmp_path: Path) -> Billing:
    """The command, with a home of its own; nobody is logged in."""
    return Billing(url, tmp_path / "home")


@pytest.fixture
def at_home(billing: Billing, flat: FakeApartment) -> Billing:
    """The command of a resident who is logged in and has one apartment."""
    billing.login()
    return billing


@pytest.fixture
def patient(make_client: MakeClient, flat: FakeApartment) -> BillingClient:
    """A client that pauses as long as it is told."""
    made = make_client(clock=SystemClock())
    made.login("ada", "secret")
    return made


@pytest.fixture
def hasty(make_client: MakeClient, flat: FakeApartment) -> BillingClient:
    """A client that waits less than a second."""
    made = make_client(timeout_seconds=0.8)
    made.login("ada", "secret")
    return made
