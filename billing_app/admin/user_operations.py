"""Operations that change residents and their logins."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from billing_app.admin.arguments import OPTIONAL, DayOrInstant, instant_of, text_field
from billing_app.admin.operation import AdminOperation, Command, Json
from billing_app.domain.limits import (
    MAX_ADDRESS_CHARS,
    MAX_USERNAME_CHARS,
)
from billing_app.ports.operator_ledger import AdminContext
from billing_app.use_cases import residents

_APARTMENT_ID = "0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c"
_SINCE = "The day or instant (UTC) they moved in: they see what was posted since. Default: now."


class AddResident(Schema):
    """Login, row, and an apartment that exists (`apartment_id`) or is new (`address`)."""

    username = text_field(MAX_USERNAME_CHARS, required=True)
    name = text_field(required=True, help="The resident's name, in any script.")
    email = fields.Email(
        **OPTIONAL, metadata={"help": "Where to mail a first password, if you give none."}
    )
    password = fields.String(
        **OPTIONAL, load_only=True, validate=validate.Length(1, 256), metadata={"stdin": True}
    )
    permanent = fields.Boolean(
        load_default=False, metadata={"help": "The first password need not be changed."}
    )
    apartment_id = fields.UUID(
        **OPTIONAL,
        metadata={"option": "--apartment", "help": "Give them the apartment with this id."},
    )
    address = text_field(
        MAX_ADDRESS_CHARS, **OPTIONAL, help="Add an apartment with this address and give them it."
    )
    since = DayOrInstant(**OPTIONAL, metadata={"help": _SINCE})

    @validates_schema
    def one_apartment(self, data: dict[str, Any], **_: Any) -> None:
        """Take an apartment that exists or a new one, not both."""
        if data["apartment_id"] and data["address"]:
            raise ValidationError("give either apartment_id or address", "address")


def _add_resident(given: Json, context: AdminContext) -> object:
    since, permanent, password = given.pop("since"), given.pop("permanent"), given.pop("password")
    first = residents.FirstPassword(password, permanent) if password else None
    return residents.add_resident(
        resident=residents.NewResident(**given, password=first),
        since=instant_of(since, ledger=context.ledger),
        ledger=context.ledger,
        directory=context.directory,
    )


def _added_resident(told: Json) -> str:
    apartment = f" Apartment {told['apartment_id']}." if told["apartment_id"] else ""
    kept = f" Not changed: {', '.join(told['kept'])}." if told["kept"] else ""
    return f"Added {', '.join(told['made'])}. Resident {told['username']}.{apartment}{kept}"


class Residency(Schema):
    """Who and which apartment."""

    username = text_field(MAX_USERNAME_CHARS, required=True)
    apartment_id = fields.UUID(required=True)


class GrantResidency(Residency):
    """Who, which apartment, and from when on the resident sees what was posted."""

    since = DayOrInstant(**OPTIONAL, metadata={"help": _SINCE})


def _grant_residency(given: Json, context: AdminContext) -> object:
    given["since"] = instant_of(given["since"], ledger=context.ledger)
    return residents.grant_residency(**given, ledger=context.ledger, directory=context.directory)


class EndResidency(Residency):
    """A residency to end."""

    by_mistake = fields.Boolean(
        load_default=False,
        metadata={"help": "It never was theirs: they owe and see nothing of that time either."},
    )


def _end_residency(given: Json, context: AdminContext) -> object:
    return residents.end_residency(**given, ledger=context.ledger, directory=context.directory)


class Username(Schema):
    """Whose login."""

    username = text_field(MAX_USERNAME_CHARS, required=True)


def _invite_resident(given: Json, context: AdminContext) -> object:
    login = residents.invite_resident(**given, directory=context.directory)
    return {"username": login.username, "subject": login.subject, "email": login.email}


def _disable_login(given: Json, context: AdminContext) -> object:
    login = residents.disable_login(**given, directory=context.directory)
    return {
        "username": login.username,
        "subject": login.subject,
        "was_enabled": login.enabled,
    }


def _disabled(told: Json) -> str:
    if told["was_enabled"]:
        return f"Disabled the login of {told['username']}."
    return f"The login of {told['username']} was disabled already."


USER_OPERATIONS = (
    AdminOperation(
        name="add_resident",
        function="admin_users",
        schema=AddResident(),
        work=_add_resident,
        example={
            "username": "anna",
            "name": "Anna Muster",
            "email": "anna@example.org",
            "address": "Main street 1, flat 3",
        },
        command=Command(
            name="resident add",
            help="Add a login and a resident, and give them an apartment. If a run breaks off,"
            " run it again: it adds what is missing.",
            report=_added_resident,
        ),
    ),
    AdminOperation(
        name="grant_residency",
        function="admin_users",
        schema=GrantResidency(),
        work=_grant_residency,
        example={"username": "anna", "apartment_id": _APARTMENT_ID},
        command=Command(
            name="apartment give",
            help="Give a resident an apartment.",
            report=lambda told: f"{told['username']} has apartment {told['apartment_id']}.",
        ),
    ),
    AdminOperation(
        name="end_residency",
        function="admin_users",
        schema=EndResidency(),
        work=_end_residency,
        example={"username": "anna", "apartment_id": _APARTMENT_ID},
        command=Command(
            name="resident end",
            help="End a residency: the resident can't use the apartment any more.",
            question="Remove apartment {apartment_id} from {username}?",
            report=lambda told: (
                f"Removed apartment {told['apartment_id']} from {told['username']}."
            ),
        ),
    ),
    AdminOperation(
        name="invite_resident",
        function="admin_users",
        schema=Username(),
        work=_invite_resident,
        example={"username": "anna"},
        command=Command(
            name="resident invite",
            help="Mail a new temporary password, for example when the first has expired.",
            report=lambda told: f"Invited {told['username']} again, at {told['email']}.",
        ),
    ),
    AdminOperation(
        name="disable_login",
        function="admin_users",
        schema=Username(),
        work=_disable_login,
        example={"username": "anna"},
        command=Command(
            name="resident disable",
            help="Disable a login and end its sessions.",
            question="Disable the login of {username}?",
            report=_disabled,
        ),
    ),
)
