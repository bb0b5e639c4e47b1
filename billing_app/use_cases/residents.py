"""Adding residents with a login and an apartment, and ending what they may do.

Each step looks at what exists and adds what is missing, so a run that broke off anywhere is
completed by running it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID, uuid5

from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import (
    EndedResidency,
    GrantedResidency,
    Login,
    OperatorLedger,
    UserDirectory,
)


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """The password of a new login; unless permanent, it must be changed at the first login."""

    text: str = field(repr=False)
    permanent: bool


@dataclass(frozen=True, slots=True)
class NewResident:
    """Who is added. Without a password the directory mails a temporary one to `email`.

    `apartment_id` gives an apartment that exists, `address` one that is added; not both, else an id
    that was mistyped would give away somebody else's.
    """

    username: str
    name: str
    email: str | None = None
    password: FirstPassword | None = None
    apartment_id: UUID | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AddedResident:
    """The ids, and in `made` which of login, first password, resident, apartment and residency.

    `kept` has what was given and not applied: `password` of a login in use, `since` of a residency.
    """

    username: str
    subject: UUID
    apartment_id: UUID | None
    made: tuple[str, ...]
    kept: tuple[str, ...] = ()


def add_resident(
    *,
    resident: NewResident,
    since: datetime | None,
    ledger: OperatorLedger,
    directory: UserDirectory,
) -> AddedResident:
    """Make the login, then the row, then the apartment, then the residency, in that order.

    A login with another name or email is somebody else's, who must not get the apartment.

    Raises:
        Rejection: resident_exists when nothing was missing, resident_differs, login_disabled,
            login_invalid, password_or_email_required, invalid_new_password, apartment_not_found.
    """
    made: list[str] = []
    kept: list[str] = []
    found = _found(resident, directory)
    subject = (found or _new_login(resident, directory, made)).subject
    _row(resident, subject, ledger, made)
    if found and resident.password:
        _first_password(found, resident.password, directory, made if found.fresh else kept)
    apartment_id = _apartment(resident, subject, ledger, made)
    if apartment_id:
        grant = partial(ledger.grant_residency, subject=subject, apartment_id=apartment_id)
        if not _is_made(lambda: grant(since=since), "residency_exists"):
            kept += ["since"] * (since is not None)
        else:
            made.append("residency")
    added = AddedResident(resident.username, subject, apartment_id, tuple(made), tuple(kept))
    if not made:
        ignored = f" (given and ignored: {', '.join(kept)})" if kept else ""
        raise Rejection("resident_exists", detail=resident.username + ignored, data=asdict(added))
    return added


def grant_residency(
    *,
    username: str,
    apartment_id: UUID,
    since: datetime | None,
    ledger: OperatorLedger,
    directory: UserDirectory,
) -> GrantedResidency:
    """Give a resident an apartment; they see what was posted from `since` on.

    Without it that is now, by the ledger and not by the operator's clock: after its last event.

    Raises:
        Rejection: login_not_found, resident_not_found, apartment_not_found, residency_exists.
    """
    subject = _known(username, directory).subject
    return ledger.grant_residency(subject=subject, apartment_id=apartment_id, since=since)


def end_residency(
    *,
    username: str,
    apartment_id: UUID,
    by_mistake: bool,
    ledger: OperatorLedger,
    directory: UserDirectory,
) -> EndedResidency:
    """End a residency: from now on the resident sees and pays only what they owe from that time.

    One that was given `by_mistake` leaves them nothing.

    Raises:
        Rejection: login_not_found, residency_not_found.
    """
    subject = _known(username, directory).subject
    return ledger.end_residency(subject=subject, apartment_id=apartment_id, by_mistake=by_mistake)


def invite_resident(*, username: str, directory: UserDirectory) -> Login:
    """Mail a new temporary password to a resident who has not chosen one yet.

    Raises:
        Rejection: login_not_found, login_disabled, login_in_use, login_without_email.
    """
    login = _known(username, directory)
    if not login.enabled:
        raise Rejection("login_disabled", detail=username)
    if not login.fresh:
        raise Rejection("login_in_use", detail=username)
    if login.email is None:
        raise Rejection("login_without_email", detail=username)
    directory.invite(username=username)
    return login


def disable_login(*, username: str, directory: UserDirectory) -> Login:
    """Stop a login from logging in; the ledger keeps what it has of the resident.

    Returns the login as it was.

    Raises:
        Rejection: login_not_found.
    """
    login = _known(username, directory)
    directory.disable(username=username)
    return login


def _found(resident: NewResident, directory: UserDirectory) -> Login | None:
    """Look the login up; one that is disabled or has another email is not taken."""
    found = directory.find(username=resident.username)
    if found and not found.enabled:
        raise Rejection("login_disabled", detail=resident.username)
    email = found and (found.email or "").casefold()
    if resident.email and email not in (None, resident.email.casefold()):
        raise _differs(resident, "email")
    return found


def _new_login(resident: NewResident, directory: UserDirectory, made: list[str]) -> Login:
    password = resident.password
    if password is None and resident.email is None:
        raise Rejection("password_or_email_required")
    login = directory.create(
        username=resident.username,
        email=resident.email,
        password=password.text if password else None,
    )
    if password and password.permanent:
        _set_password(resident.username, password, directory)
    made.append("login")
    return login


def _row(resident: NewResident, subject: UUID, ledger: OperatorLedger, made: list[str]) -> None:
    try:
        ledger.add_resident(subject=subject, name=resident.name)
    except Rejection as rejection:
        if rejection.code != "resident_exists":
            raise
        if (rejection.data or {}).get("name") != resident.name:
            raise _differs(resident, "name") from None
    else:
        made.append("resident")


def _differs(resident: NewResident, what: str) -> Rejection:
    return Rejection("resident_differs", detail=f"{resident.username} has another {what}")


def _first_password(
    login: Login, password: FirstPassword, directory: UserDirectory, told: list[str]
) -> None:
    """Set a first password again; someone who has logged in keeps the one that they know."""
    if login.fresh:
        _set_password(login.username, password, directory)
    told.append("first password" if login.fresh else "password")


def _set_password(username: str, password: FirstPassword, directory: UserDirectory) -> None:
    directory.set_password(username=username, password=password.text, permanent=password.permanent)


def _apartment(
    resident: NewResident, subject: UUID, ledger: OperatorLedger, made: list[str]
) -> UUID | None:
    address = resident.address
    if address is None:
        return resident.apartment_id
    # The id follows from resident and address, so a second run finds what the first one made.
    apartment_id = uuid5(subject, address)
    if ledger.add_apartment(apartment_id=apartment_id, address=address):
        made.append("apartment")
    return apartment_id


def _is_made(make: Callable[[], object], exists_code: str) -> bool:
    """Make something; return whether it was missing."""
    try:
        make()
    except Rejection as rejection:
        if rejection.code != exists_code:
            raise
        return False
    return True


def _known(username: str, directory: UserDirectory) -> Login:
    login = directory.find(username=username)
    if login is None:
        raise Rejection("login_not_found", detail=username)
    return login
