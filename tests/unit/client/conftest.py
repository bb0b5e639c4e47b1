"""The service in this process, and clients of it in virtual time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from billing_client import BillingClient
from billing_client.cli import context

from tests.support.billing_service import BillingService, FaultyTransport, Residency
from tests.unit.client.billing_runs import Billing

MakeClient = Callable[..., BillingClient]


@pytest.fixture
def service() -> BillingService:
    return BillingService()


@pytest.fixture
def wire(service: BillingService) -> FaultyTransport:
    """The way to the service, on which faults happen."""
    return FaultyTransport(service)


@pytest.fixture
def apartment(service: BillingService) -> Residency:
    """The apartment of Ada."""
    return service.add_apartment(service.add_resident("ada"))


@pytest.fixture
def make_client(service: BillingService, wire: FaultyTransport) -> MakeClient:
    """Make clients of the service, or of one that a test made."""

    def make(service: BillingService = service, **more: Any) -> BillingClient:
        way = wire if wire.service is service else FaultyTransport(service)
        settings = {"http": httpx.Client(transport=way), "clock": service.clock, **more}
        return BillingClient("http://billing.test", **settings)

    return make


@pytest.fixture
def client(make_client: MakeClient, apartment: Residency) -> BillingClient:
    """A client of Ada, who is logged in."""
    made = make_client()
    made.login("ada", "secret")
    return made


@pytest.fixture
def hasty(make_client: MakeClient, apartment: Residency) -> BillingClient:
    """A client of Ada that waits less than a second."""
    made = make_client(timeout_seconds=0.8)
    made.login("ada", "secret")
    return made


@pytest.fixture
def billing(
    make_client: MakeClient, apartment: Residency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Billing:
    """The command with files of its own; nobody is logged in."""
    in_process = functools.partial(_with_address, make_client)
    monkeypatch.setattr(context, "BillingClient", in_process)
    return Billing("https://billing.test", tmp_path / "files")


def _with_address(make: MakeClient, _url: str, **settings: Any) -> BillingClient:
    return make(**settings)


@pytest.fixture
def logged_in(billing: Billing) -> Billing:
    """The command of Ada, who is logged in."""
    billing.login()
    return billing
