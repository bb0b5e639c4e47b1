"""Adding residents with a login and an apartment, and ending what they may do.

Each step looks at what exists and adds what is missing, so a run that broke off anywhere is
completed by running it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
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
    """The ids, and in `made` which of login, first password, resident, apartment and residency."""

    username: str
    subject: UUID
    apartment_id: UUID | None
    made: tuple[str, ...]


def add_resident(
    *,
    resident: NewResident,
    since: datetime | None,
    ledger: OperatorLedger,
    directory: UserDirectory,
) -> AddedResident:
    """Make the login, then the row, then the apartment, then the residency, in that order.

    Raises:
        Rejection: resident_exists when nothing was missing, login_disabled, login_invalid,
            password_or_email_required, invalid_new_password, apartment_not_found.
    """
    made: list[str] = []
    subject = _login(resident, directory, made).subject
    _make(
        made,
        "resident",
        "resident_exists",
        lambda: ledger.add_resident(subject=subject, name=resident.name),
    )
    apartment_id = _apartment(resident, subject, ledger, made)
    if apartment_id:
        _make(
            made,
            "residency",
            "residency_exists",
            lambda: ledger.grant_residency(subject=subject, apartment_id=apartment_id, since=since),
        )
    added = AddedResident(resident.username, subject, apartment_id, tuple(made))
    if not made:
        raise Rejection("resident_exists", detail=resident.username, data=asdict(added))
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
    *, username: str, apartment_id: UUID, ledger: OperatorLedger, directory: UserDirectory
) -> EndedResidency:
    """End a residency: from now on the apartment is not found for this resident.

    Raises:
        Rejection: login_not_found, residency_not_found.
    """
    subject = _known(username, directory).subject
    return ledger.end_residency(subject=subject, apartment_id=apartment_id)


def disable_login(*, username: str, directory: UserDirectory) -> Login:
    """Stop a login from logging in; the ledger keeps what it has of the resident.

    Raises:
        Rejection: login_not_found.
    """
    login = _known(username, directory)
    directory.disable(username=username)
    return login


def _login(resident: NewResident, directory: UserDirectory, made: list[str]) -> Login:
    found = directory.find(username=resident.username)
    if found is None:
        made.append("login")
        return _new_login(resident, directory)
    if not found.enabled:
        raise Rejection("login_disabled", detail=resident.username)
    # Someone who has logged in already keeps the password that they know.
    if resident.password and found.fresh:
        _set_password(resident.username, resident.password, directory)
        made.append("first password")
    return found


def _new_login(resident: NewResident, directory: UserDirectory) -> Login:
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
    return login


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
    _make(
        made,
        "apartment",
        "apartment_exists",
        lambda: ledger.add_apartment(apartment_id=apartment_id, address=address),
    )
    return apartment_id


def _make(made: list[str], what: str, exists_code: str, make: Callable[[], object]) -> None:
    """Make something and note it, unless it exists already."""
    try:
        make()
    except Rejection as rejection:
        if rejection.code != exists_code:
            raise
    else:
        made.append(what)


def _known(username: str, directory: UserDirectory) -> Login:
    login = directory.find(username=username)
    if login is None:
        raise Rejection("login_not_found", detail=username)
    return login
