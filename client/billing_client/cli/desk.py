"""What every command needs: its common options, the client, the files and the terminal."""

from __future__ import annotations

import functools
import ipaddress
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from billing_client.answers import Apartment
from billing_client.cli.terminal import Terminal, safe
from billing_client.cli.words import SHORT_ID
from billing_client.client import BillingClient
from billing_client.errors import NotLoggedIn, RequestRejected
from billing_client.files import ResidentFiles, ServiceFiles, default_home
from billing_client.gateway import checked_base_url
from billing_client.pending import PendingRequest
from billing_client.sessions import Session

DEFAULT_URL = "http://127.0.0.1:8000"
JSON_ASKED = "billing.json"


@dataclass(frozen=True)
class Desk:
    """The place where a command works."""

    client: BillingClient
    files: ServiceFiles
    terminal: Terminal

    @property
    def session(self) -> Session:
        """Who is logged in; raises NotLoggedIn."""
        session = self.files.session.load()
        if session is None:
            raise NotLoggedIn("not_logged_in", f"You are not logged in to {self.files.base_url}.")
        return session

    @property
    def resident_files(self) -> ResidentFiles:
        return self.files.of_resident(self.session)

    def apartment(self, chosen: str | None) -> str:
        """Return the id of the apartment that is meant."""
        return choose_apartment(self.session.apartments, chosen)


@dataclass(frozen=True)
class PendingPaymentsOfWhoIsLoggedIn:
    """Looks up at each use who is logged in, since a login may change it."""

    files: ServiceFiles

    def keep(self, pending: PendingRequest) -> None:
        self._resident().pending_payments.keep(pending)

    def forget(self, idempotency_key: str) -> None:
        self._resident().pending_payments.forget(idempotency_key)

    def all(self) -> tuple[PendingRequest, ...]:
        return self._resident().pending_payments.all()

    def _resident(self) -> ResidentFiles:
        session = self.files.session.load()
        if session is None:
            raise NotLoggedIn("not_logged_in", "You are not logged in.")
        return self.files.of_resident(session)


def with_desk(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its options --url, --timeout and --json, and a desk made from them."""

    @click.option(
        "--url",
        envvar="BILLING_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        callback=_checked_url,
        help="Address of the service.",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.1, max=3600),
        default=30.0,
        show_default=True,
        callback=_finite,
        help="Seconds to wait for an answer.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout.")
    @functools.wraps(command)
    def run(*, url: str, timeout: float, as_json: bool, **rest: Any) -> None:
        click.get_current_context().meta[JSON_ASKED] = as_json
        files = ServiceFiles(default_home(), url)
        with BillingClient(
            url,
            sessions=files.session,
            pending_payments=PendingPaymentsOfWhoIsLoggedIn(files),
            timeout_seconds=timeout,
        ) as client:
            command(Desk(client, files, Terminal(as_json)), **rest)

    return run


apartment_option = click.option(
    "--apartment",
    metavar="APARTMENT",
    help="Its number in `billing apartments`, its id, or the start of its id. "
    "Not needed if you have only one.",
)


def _checked_url(_: click.Context, __: click.Parameter, url: str) -> str:
    try:
        return checked_base_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):
        raise click.BadParameter("say how many seconds")
    return seconds


def is_private_way(url: str) -> bool:
    """Tell whether nobody on the way can read along: HTTPS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def choose_apartment(apartments: tuple[Apartment, ...], chosen: str | None) -> str:
    """Return the id that is meant by a number, an id or its start; the only one if none is."""
    if not apartments and chosen is None:
        raise RequestRejected("no_apartment", "You have no apartment here yet.")
    if chosen is None:
        return _only(apartments, "Say which apartment, with --apartment")
    # A number is a place in the list alone: 9 must not become the apartment whose id begins with 9.
    if chosen.isdecimal() and len(chosen) < SHORT_ID:
        place = int(chosen)
        known = 1 <= place <= len(apartments)
        return apartments[place - 1].apartment_id if known else _unlisted(chosen)
    found = tuple(a for a in apartments if a.apartment_id.startswith(chosen.lower()))
    if found and chosen:
        return _only(found, f"{chosen!r} is the start of several ids")
    return _unlisted(chosen)


def _only(apartments: tuple[Apartment, ...], question: str) -> str:
    if len(apartments) > 1:
        listed = "; ".join(f"{a.apartment_id[:SHORT_ID]} {safe(a.address)}" for a in apartments)
        raise click.UsageError(f"{question}: {listed}.")
    return apartments[0].apartment_id


def _unlisted(chosen: str) -> str:
    """Let the service judge a whole id: it may have been granted since the login."""
    try:
        return str(uuid.UUID(chosen))
    except ValueError as error:
        message = f"{chosen!r} is no apartment in the list; run `billing apartments`."
        raise click.UsageError(message) from error
