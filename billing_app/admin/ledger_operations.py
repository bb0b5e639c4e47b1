"""Operations that change the ledger alone."""

from __future__ import annotations

from marshmallow import Schema, fields

from billing_app.admin.arguments import OPTIONAL, AuditNoteSchema, follows, text_field
from billing_app.admin.formatting import money
from billing_app.admin.operation import AdminOperation, Command, Json
from billing_app.domain.bill_lines import read_provider_id
from billing_app.domain.limits import MAX_ADDRESS_CHARS
from billing_app.ports.operator_ledger import AdminContext
from billing_app.use_cases import reversals

_NOTE = {"reason": "Meter was read wrongly", "operator": "olga"}


class AddApartment(Schema):
    """An apartment; its id is made unless it is given."""

    address = text_field(MAX_ADDRESS_CHARS, required=True)
    apartment_id = fields.UUID(
        **OPTIONAL, metadata={"option": "--id", "help": "The apartment's id. Default: a new one."}
    )


def _add_apartment(given: Json, context: AdminContext) -> object:
    apartment_id = given["apartment_id"] or context.new_id()
    is_new = context.ledger.add_apartment(apartment_id=apartment_id, address=given["address"])
    # An id made just now can only be there because a lost answer was asked for again.
    added = is_new or given["apartment_id"] is None
    return {"apartment_id": apartment_id, "address": given["address"], "added": added}


def _added_apartment(told: Json) -> str:
    words = "" if told["added"] else " is there already, unchanged"
    return f"Apartment {told['apartment_id']}{words}: {told['address']}"


class AddProvider(Schema):
    """A provider and its name for people."""

    provider_id = fields.String(required=True, validate=follows(read_provider_id))
    name = text_field(
        required=True, help="The name that residents see. Earlier receipts keep theirs."
    )


def _add_provider(given: Json, context: AdminContext) -> object:
    return {**given, "former_name": context.ledger.add_provider(**given)}


def _added_provider(told: Json) -> str:
    if told["former_name"] is None:
        return f"Added provider {told['provider_id']}: {told['name']}"
    if told["former_name"] == told["name"]:
        return f"Provider {told['provider_id']} is there already, unchanged: {told['name']}"
    return f"Renamed provider {told['provider_id']} from {told['former_name']} to {told['name']}"


class VoidBill(AuditNoteSchema):
    """A bill to withdraw."""

    bill_id = fields.UUID(required=True)


def _void_bill(given: Json, context: AdminContext) -> object:
    note = reversals.AuditNote(operator=given["operator"], reason=given["reason"])
    return reversals.void_bill(bill_id=given["bill_id"], note=note, ledger=context.ledger)


class ReinstateBill(VoidBill):
    """A void bill to be owed again."""

    allow_duplicates = fields.Boolean(
        load_default=False, metadata={"help": "Also if another bill looks like it."}
    )


def _reinstate_bill(given: Json, context: AdminContext) -> object:
    note = reversals.AuditNote(operator=given.pop("operator"), reason=given.pop("reason"))
    return reversals.reinstate_bill(**given, note=note, ledger=context.ledger)


class ReversePayment(AuditNoteSchema):
    """A payment to undo."""

    payment_id = fields.UUID(required=True)


def _reverse_payment(given: Json, context: AdminContext) -> object:
    note = reversals.AuditNote(operator=given["operator"], reason=given["reason"])
    return reversals.reverse_payment(
        payment_id=given["payment_id"], note=note, ledger=context.ledger
    )


def _reversed(told: Json) -> str:
    total = money(told["total_minor"], told["currency"])
    bills = f"{len(told['bills'])} open again"
    return f"Reversed receipt {told['receipt_number']} of {total}; bills: {bills}."


LEDGER_OPERATIONS = (
    AdminOperation(
        name="add_apartment",
        function="admin",
        schema=AddApartment(),
        work=_add_apartment,
        example={"address": "Main street 1, flat 3"},
        command=Command(
            name="apartment add",
            help="Add an apartment and print its id.",
            report=_added_apartment,
        ),
    ),
    AdminOperation(
        name="add_provider",
        function="admin",
        schema=AddProvider(),
        work=_add_provider,
        example={"provider_id": "city-gas", "name": "City Gas"},
        command=Command(
            name="provider add",
            help="Add a provider, or rename one.",
            report=_added_provider,
        ),
    ),
    AdminOperation(
        name="void_bill",
        function="admin",
        schema=VoidBill(),
        work=_void_bill,
        example={"bill_id": "0d1f6a52-7d52-4cf5-9d55-0f1f7ad3a6f1", **_NOTE},
        command=Command(
            name="void",
            help="Withdraw an open bill. If it is paid, reverse its payment first.",
            question="Void bill {bill_id}?",
            report=lambda told: f"Bill {told['bill_id']} is void.",
        ),
    ),
    AdminOperation(
        name="reinstate_bill",
        function="admin",
        schema=ReinstateBill(),
        work=_reinstate_bill,
        example={"bill_id": "0d1f6a52-7d52-4cf5-9d55-0f1f7ad3a6f1", **_NOTE},
        command=Command(
            name="reinstate",
            help="Take back a void: the bill is owed again, with a new id.",
            question="Reinstate bill {bill_id}? It will be owed again.",
            report=lambda told: (
                f"Bill {told['bill_id']} is owed: it replaces {told['replaces']}, which was void."
            ),
        ),
    ),
    AdminOperation(
        name="reverse_payment",
        function="admin",
        schema=ReversePayment(),
        work=_reverse_payment,
        example={"payment_id": "5f0c7a52-7d52-4cf5-9d55-0f1f7ad3a6f1", **_NOTE},
        command=Command(
            name="reverse",
            help="Reverse a payment whole: its bills are open again, and the history shows it.",
            question="Reverse payment {payment_id}? Its bills will be open again.",
            report=_reversed,
        ),
    ),
)
