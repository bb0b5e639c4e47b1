"""Giving people a login, a place in the books and an apartment, and taking the latter back.

Each step looks at what stands and does what lacks. A run that broke off anywhere is completed by
running it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import Login, OperatorLedger, UserDirectory


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


def add_resident(
    *, resident: NewResident, since: datetime, ledger: OperatorLedger, directory: UserDirectory
) -> dict[str, Any]:
    """Make the login, then the row, then the apartment, then the residency, in that order.

    Returns the ids and, in `made`, which of these were made now. Raises Rejection:
    resident_exists when all stood before, login_disabled, password_or_email_required,
    login_invalid, invalid_new_password, apartment_not_found.
    """
    made: list[str] = []
    subject = _login(resident, directory, made).subject
    _make(made, "resident", "resident_exists", lambda: _add_row(ledger, subject, resident.name))
    apartment_id = _apartment(resident, subject, ledger, made)
    if apartment_id:
        _make(
            made,
            "residency",
            "residency_exists",
            lambda: ledger.grant_residency(subject=subject, apartment_id=apartment_id, since=since),
        )
    return _told(resident, subject, apartment_id, made)


def grant_residency(
    *,
    username: str,
    apartment_id: UUID,
    since: datetime,
    ledger: OperatorLedger,
    directory: UserDirectory,
) -> dict[str, Any]:
    """Give a resident an apartment; they see what was posted from `since` on.

    Raises Rejection: login_not_found, resident_not_found, apartment_not_found,
    residency_exists.
    """
    subject = _known(username, directory).subject
    return ledger.grant_residency(subject=subject, apartment_id=apartment_id, since=since)


def end_residency(
    *, username: str, apartment_id: UUID, ledger: OperatorLedger, directory: UserDirectory
) -> dict[str, Any]:
    """End a residency: from now on the apartment is not found for this resident.

    Raises Rejection: login_not_found, residency_not_found.
    """
    subject = _known(username, directory).subject
    return ledger.end_residency(subject=subject, apartment_id=apartment_id)


def disable_login(*, username: str, directory: UserDirectory) -> dict[str, Any]:
    """Let somebody log in no more; what the books say of them stays.

    Raises Rejection: login_not_found.
    """
    login = _known(username, directory)
    directory.disable(username=username)
    return {"username": username, "subject": str(login.subject)}


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


def _add_row(ledger: OperatorLedger, subject: UUID, name: str) -> dict[str, Any]:
    return ledger.add_resident(subject=subject, name=name)


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
    """Make something and note it, unless it is there already."""
    try:
        make()
    except Rejection as rejection:
        if rejection.code != exists_code:
            raise
    else:
        made.append(what)


def _told(
    resident: NewResident, subject: UUID, apartment_id: UUID | None, made: list[str]
) -> dict[str, Any]:
    data = {
        "username": resident.username,
        "subject": str(subject),
        "apartment_id": str(apartment_id) if apartment_id else None,
        "made": made,
    }
    if not made:
        raise Rejection("resident_exists", detail=resident.username, data=data)
    return data


def _known(username: str, directory: UserDirectory) -> Login:
    login = directory.find(username=username)
    if login is None:
        raise Rejection("login_not_found", detail=username)
    return login
