"""What every command shares: common options, the client, the files and the terminal."""

from __future__ import annotations

import functools
import ipaddress
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from billing_client.cli.formatting import SHORT_ID
from billing_client.cli.terminal import Terminal, safe
from billing_client.client import BillingClient
from billing_client.errors import NotLoggedIn, SelectionError
from billing_client.files import (
    PendingPaymentFiles,
    ResidentFiles,
    ServiceFiles,
    default_home,
)
from billing_client.models import Apartment, PendingRequest
from billing_client.storage import OneResidentsSession, Session, key_of
from billing_client.transport import checked_base_url

DEFAULT_URL = "http://127.0.0.1:8000"
JSON_REQUESTED = "billing.json"
OUTCOMES = "billing.outcomes"


class Outcomes:
    """The pending payments of one run: each is forgotten once its outcome was shown."""

    def __init__(self, files: PendingPaymentFiles) -> None:
        self._payments = files
        self._open: dict[str, PendingRequest] = {}
        self._known: list[PendingRequest] = []

    def keep(self, pending: PendingRequest) -> None:
        """Store a payment under its idempotency key."""
        self._payments.keep(pending)
        self._open[key_of(pending)] = pending

    def forget(self, pending: PendingRequest) -> None:
        """Note that the outcome is known, which is not shown yet."""
        self._known.append(pending)

    def all(self) -> tuple[PendingRequest, ...]:
        """Return the payments, the oldest first."""
        found = self._payments.all()
        self._open.update({key_of(pending): pending for pending in found})
        return found

    def unreadable(self) -> tuple[Path, ...]:
        """Return files that hold a payment which nobody can ask for any more."""
        return self._payments.unreadable()

    @property
    def not_shown(self) -> PendingRequest | None:
        """A payment that may have been made, and whose outcome was not shown."""
        return next(iter(self._open.values()), None)

    def forget_shown(self) -> None:
        """Forget the payments whose outcome is known, now that it was shown."""
        while self._known:
            self._payments.forget(self._known[-1])
            self._open.pop(key_of(self._known.pop()), None)


@dataclass(frozen=True)
class CommandContext:
    """The client, files and terminal of one command."""

    client: BillingClient
    files: ServiceFiles
    pending: Outcomes
    terminal: Terminal

    @property
    def session(self) -> Session:
        """The current session; raises NotLoggedIn."""
        session = self.client.session
        if session is None:
            raise NotLoggedIn("not_logged_in", f"You are not logged in to {self.files.base_url}.")
        return session

    @property
    def resident_files(self) -> ResidentFiles:
        """The files of the resident who is logged in."""
        return self.files.of_resident(self.session)

    def apartment(self, chosen: str | None) -> str:
        """Return the id of the selected apartment."""
        return choose_apartment(self.session.apartments, chosen)


def with_context(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --url, --timeout and --json, and pass a context made from them."""

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
        help="Seconds to wait for each answer.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
    @functools.wraps(command)
    def run(*, url: str, timeout: float, as_json: bool, **rest: Any) -> None:
        click.get_current_context().meta[JSON_REQUESTED] = as_json
        files = ServiceFiles(default_home(), url)
        sessions = OneResidentsSession(files.session)
        outcomes = Outcomes(files.pending_payments(sessions))
        click.get_current_context().meta[OUTCOMES] = outcomes
        with BillingClient(
            url,
            sessions=sessions,
            pending_payments=outcomes,
            timeout_seconds=timeout,
        ) as client:
            command(CommandContext(client, files, outcomes, Terminal(as_json)), **rest)

    return run


apartment_option = click.option(
    "--apartment",
    metavar="APARTMENT",
    help="Number in `billing apartments`, id, or first characters of the id. "
    "Not needed if you have only one.",
)


def _checked_url(_: click.Context, __: click.Parameter, url: str) -> str:
    try:
        return checked_base_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):
        raise click.BadParameter("must be a number of seconds")
    return seconds


def is_private_connection(url: str) -> bool:
    """Tell whether nobody can read along: HTTPS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def choose_apartment(apartments: tuple[Apartment, ...], chosen: str | None) -> str:
    """Return the id of an apartment, given by number, id or the start of its id.

    Without a choice it is the only apartment that the resident has not left.

    Raises:
        SelectionError: There is no apartment.
        click.UsageError: The choice matches none, or several.
    """
    if not apartments and chosen is None:
        raise SelectionError("no_apartment", "You have no apartment.")
    if chosen is None:
        present = tuple(one for one in apartments if not one.former)
        return _only(present or apartments, "Select an apartment with --apartment")
    # Digits are always a number in the list: 9 must not select the id that begins with 9.
    if chosen.isdecimal() and len(chosen) < SHORT_ID:
        number = int(chosen)
        known = 1 <= number <= len(apartments)
        return apartments[number - 1].apartment_id if known else _unlisted(chosen)
    found = tuple(a for a in apartments if a.apartment_id.startswith(chosen.lower()))
    if found and chosen:
        return _only(found, f"{chosen!r} matches several apartments")
    return _unlisted(chosen)


def _only(apartments: tuple[Apartment, ...], problem: str) -> str:
    if len(apartments) > 1:
        listed = "; ".join(f"{a.apartment_id[:SHORT_ID]} {safe(a.address)}" for a in apartments)
        raise click.UsageError(f"{problem}: {listed}.")
    return apartments[0].apartment_id


def _unlisted(chosen: str) -> str:
    """Let the service check a whole id: it may have been added after the login."""
    try:
        return str(uuid.UUID(chosen))
    except ValueError as error:
        message = f"No apartment {chosen!r}. Run `billing apartments` to list yours."
        raise click.UsageError(message) from error
