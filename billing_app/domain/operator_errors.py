"""The catalogue of errors that operators can meet; `docs/operators.md` shows the same table.

Some codes are also in the residents' catalogue, with other words: an operator may know what a
resident may not.
"""

from collections.abc import Mapping
from typing import Any

from billing_app.domain.errors import ErrorKind, Rejection


def _rejected(message: str, advice: str) -> ErrorKind:
    return ErrorKind("rejected", message, advice)


OPERATOR_CATALOGUE: Mapping[str, ErrorKind] = {
    "invalid_request": _rejected("The request can't be read", "Correct the fields that it names."),
    # Residents
    "login_invalid": _rejected(
        "The username or the email can't be one", "Choose another username, or correct the email."
    ),
    "login_not_found": _rejected("No login has this username", "Check its spelling."),
    "login_disabled": _rejected("The login is disabled", "Enable it in the user pool first."),
    "password_or_email_required": _rejected(
        "A new login needs an email, to which its first password goes, or a password",
        "Give --email or --password-stdin.",
    ),
    "invalid_new_password": _rejected(
        "The password does not meet the password rules of the user pool",
        "Take a longer one with small and capital letters, digits and a symbol.",
    ),
    "resident_exists": _rejected(
        "The resident is complete already, so nothing was changed", "Nothing is left to do."
    ),
    "resident_not_found": _rejected(
        "No resident belongs to this login", "Add one with `billing-admin resident add`."
    ),
    "residency_exists": _rejected(
        "The resident has this apartment already", "Nothing is left to do."
    ),
    "residency_not_found": _rejected(
        "The resident does not have this apartment now", "Check the username and the id."
    ),
    "apartment_exists": _rejected(
        "An apartment with this id exists already", "Leave the id out, or give the apartment."
    ),
    "apartment_not_found": _rejected(
        "No apartment has this id", "Add it with `billing-admin apartment add`."
    ),
    # Files of bills
    "file_not_utf8": _rejected("The file is not UTF-8 text", "Save it as CSV UTF-8."),
    "file_unreadable": _rejected("The file can't be read", "Check its name and permissions."),
    "file_empty": _rejected("The file has no line", "Export it again."),
    "line_too_long": _rejected(
        "The file has a line of more than 16384 bytes", "Check that it is a CSV file of bills."
    ),
    "header_invalid": _rejected(
        "The first line does not name the nine columns", "Name each column once, in any order."
    ),
    "delimiter_invalid": _rejected(
        "Columns are divided by something else than a comma or a semicolon", "Use one of them."
    ),
    "import_id_reused": _rejected(
        "Another file was imported under this import_id", "Leave it out, or take a new one."
    ),
    "lines_rejected": _rejected(
        "Some lines were rejected, the others stand",
        "Correct the lines in the report and import them; importing all again is safe too.",
    ),
    # Bills and payments
    "bill_not_found": _rejected("No bill has this id", "Check the id."),
    "bill_already_paid": _rejected("The bill is paid", "Reverse its payment first."),
    "bill_void": _rejected("The bill is void already", "Nothing is left to do."),
    "payment_not_found": _rejected("No payment has this id", "Check the id."),
    "payment_already_reversed": _rejected(
        "The payment is reversed already", "Nothing is left to do."
    ),
    "reason_required": _rejected("A reason is required", "Say why in at most 500 characters."),
    "books_differ": _rejected(
        "The books do not agree", "Look at the rows that differ before any further change."
    ),
    # The database
    "migration_failed": _rejected(
        "The database could not be brought to this version",
        "Correct the cause; migrating again goes on where it ended.",
    ),
    # Our fault
    "service_unavailable": ErrorKind(
        "failed",
        "A part of the service could not be reached, so the outcome is not known",
        "Run the same command again: what was done already is found and not done twice.",
    ),
    "internal_error": ErrorKind(
        "failed", "The service met an error of its own", "Look at its log, then run it again."
    ),
}


class OperatorRejection(Rejection):
    """What an operator asked can't be done; `detail` says where, for people.

    A code outside of the catalogue is a programming error and raises `KeyError`.
    """

    def __init__(
        self, code: str, *, detail: str | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        # The parent would look the code up among those of residents.
        Exception.__init__(self, code)
        self.kind = OPERATOR_CATALOGUE[code]
        self.code = code
        self.data = data
        self.detail = detail

    @property
    def message(self) -> str:
        """What happened, as a sentence."""
        return f"{self.kind.message}: {self.detail}." if self.detail else f"{self.kind.message}."
