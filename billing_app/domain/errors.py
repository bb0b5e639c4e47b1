"""The catalogue of errors: every code that residents, operators and lines of a bill file can get.

Codes are part of the contract: they are added, never renamed. `python -m tools.reference` writes
the tables of `docs/errors.md` and `docs/operators.md` from this catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from billing_app.domain.limits import (
    MAX_AMOUNT_MINOR,
    MAX_LINE_BYTES,
    MAX_REASON_CHARS,
    MAX_REFERENCE_CHARS,
)

Status = Literal["rejected", "failed"]


class Text(NamedTuple):
    """What happened and what to do, a sentence each."""

    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A row of the catalogue, with a text for each audience that can get the code.

    `rejected`: the request can't be done as asked, and asking again changes nothing.
    `failed`: our fault, ask again.
    `line` says what is wrong with one line of a file of bills.
    """

    status: Status
    resident: Text | None = None
    operator: Text | None = None
    line: str | None = None

    def __or__(self, other: ErrorKind) -> ErrorKind:
        """Return a row with the texts of both."""
        return ErrorKind(
            self.status,
            self.resident or other.resident,
            self.operator or other.operator,
            self.line or other.line,
        )

    @property
    def message(self) -> str:
        """What happened, in the words for residents if they can get the code."""
        text = self.resident or self.operator
        return text.message if text else self.line or ""


def _resident(message: str, advice: str, *, status: Status = "rejected") -> ErrorKind:
    return ErrorKind(status, resident=Text(message, advice))


def _operator(message: str, advice: str, *, status: Status = "rejected") -> ErrorKind:
    return ErrorKind(status, operator=Text(message, advice))


def _line(message: str) -> ErrorKind:
    return ErrorKind("rejected", line=message)


_NOTHING_TO_DO = "Nothing needs to be done."

CATALOGUE: Mapping[str, ErrorKind] = {
    # The request itself
    "invalid_request": _resident(
        "The request has a field that is missing, unknown or malformed.",
        "Compare the body with the contract; `data.fields` names what is wrong.",
    )
    | _operator("The request has missing, unknown or malformed fields.", "Correct the fields."),
    "request_expired": _resident(
        "The payment was asked for too long ago, and was not made.",
        "See what is owed now, and pay again if you still want to.",
    ),
    "invalid_idempotency_key": _resident(
        "The Idempotency-Key is not 1 to 200 printable ASCII characters.", "Send a UUID as the key."
    ),
    # Logins and residents
    "invalid_credentials": _resident(
        "The username or the password is wrong.",
        "Check both and log in again. If they are right, ask the operator to enable the account.",
    ),
    "account_disabled": _resident("This account is disabled.", "Ask the operator to enable it."),
    "account_not_confirmed": _resident(
        "This account is not confirmed yet.", "Finish the registration, or ask the operator."
    ),
    "new_password_required": _resident(
        "A new password must be chosen before the first login.",
        "Log in again with `new_password` beside the current one.",
    ),
    "new_password_not_needed": _resident(
        "Nobody asked for a new password, and nothing was changed.",
        "Log in without `new_password`. To change a password, ask the operator.",
    ),
    "invalid_new_password": _resident(
        "The new password does not meet the password rules.",
        "Choose a longer password with upper and lower case letters, digits and a symbol.",
    )
    | _operator(
        "The password does not meet the password rules of the user pool.",
        "Choose a longer one with upper and lower case letters, digits and a symbol.",
    ),
    "password_reset_required": _resident(
        "The password must be reset.", "Ask the operator to set a new one."
    ),
    "invitation_expired": _resident(
        "The temporary password has expired.", "Ask the operator to send the invitation again."
    ),
    "challenge_not_supported": _resident(
        "This account asks for a login step that this API does not offer.",
        "Ask the operator which login steps your account needs.",
    ),
    "session_expired": _resident(
        "The refresh token has expired or is not valid.", "Log in with username and password."
    ),
    "login_throttled": _resident(
        "Too many login attempts.", "Wait a minute, then log in again.", status="failed"
    ),
    "login_invalid": _operator(
        "The user pool does not accept this username or email.",
        "Choose another username, or correct the email.",
    ),
    "login_not_found": _operator("No login has this username.", "Check the spelling."),
    "login_disabled": _operator("The login is disabled.", "Enable it in the user pool first."),
    "password_or_email_required": _operator(
        "A new login needs a first password, or an email to which one is sent.",
        "Give a password or an email.",
    ),
    "login_in_use": _operator(
        "The resident has chosen a password already, so there is nothing to invite them to.",
        "They log in with that password.",
    ),
    "login_without_email": _operator(
        "The login has no email to which an invitation could go.",
        "Set a first password by hand: run `resident add` again, with a password.",
    ),
    "resident_exists": _operator(
        "The resident exists, with login and apartment. Nothing was changed",
        "To give another apartment, use `apartment give`.",
    ),
    "resident_differs": _operator(
        "The username is that of a resident with another name or email. Nothing was changed",
        "Choose another username, or give the name and email that they have.",
    ),
    "resident_not_found": _resident(
        "The credentials are valid, but no resident is linked to this login.",
        "Ask the operator to add you as a resident.",
    )
    | _operator("No resident is linked to this login.", "Add the resident first."),
    "residency_exists": _operator(
        "The resident has this apartment already. Nothing was changed.",
        "To show more or less of the past, end the residency and give the apartment again.",
    ),
    "residency_not_found": _operator(
        "The resident does not have this apartment, or not any more. Nothing was changed.",
        "Check the username and the apartment's id.",
    ),
    # Apartments, bills and payments
    "apartment_exists": _operator(
        "An apartment with another address has this id.", "Leave the id out to get a new one."
    ),
    "apartment_not_found": _resident(
        "No apartment of yours has this id.", "Use an id from the list that the login returned."
    )
    | _operator("No apartment has this id.", "Add the apartment first.")
    | _line("No apartment has this id. Add it first."),
    "bill_not_found": _resident(
        "One of the bills is not a bill of this apartment.",
        "Fetch the current debts; `data.bills` names the unknown ones.",
    )
    | _operator("No bill has this id.", "Check the id."),
    "bill_of_former_resident": _resident(
        "One of the bills is owed by somebody who lived there before. Nothing was paid.",
        "Leave out what `data.bills` names: who owes it can still pay it.",
    ),
    "bill_already_paid": _resident(
        "One of the bills is paid already. Nothing was paid now.",
        "Fetch the current debts; `data.bills` names the paid ones.",
    )
    | _operator("The bill is paid.", "Reverse its payment first.")
    | _line("The bill is paid, so its content can't change."),
    "bill_void": _resident(
        "One of the bills was withdrawn or replaced. Nothing was paid.",
        "Fetch the current debts; `data.bills` names the withdrawn ones.",
    )
    | _operator("The bill is void already.", _NOTHING_TO_DO)
    | _line("The bill was withdrawn. To have it owed again, reinstate it."),
    "bill_not_void": _operator("The bill is not void.", _NOTHING_TO_DO),
    "bill_replaced": _operator(
        "A newer revision replaced the bill.", "Name that revision: `data.bill_id`."
    ),
    "probable_duplicate": _operator(
        "Another bill that is owed or paid looks like this one.",
        "Compare it with `data.bill_id`. Give --allow-duplicates if both are right.",
    )
    | _line(
        "It looks like another bill of the apartment that is owed or paid, and was not issued."
        " Void that one, or give --allow-duplicates if both are right."
    ),
    "currency_mixed": _resident(
        "The bills are in different currencies. Nothing was paid.",
        "Pay the bills of each currency in a payment of its own.",
    ),
    "total_changed": _resident(
        "The bills do not add up to the expected total. Nothing was paid.",
        "Show the resident the new total in `data.total_minor` and ask again.",
    ),
    "idempotency_key_reused": _resident(
        "This Idempotency-Key was used for another payment request. Nothing was paid.",
        "Use a new key for a new payment.",
    ),
    "too_many_rejections": _resident(
        "Too many payments were rejected in this hour. Nothing was paid.",
        "Wait until the next hour begins, see what is owed, and pay again.",
    ),
    "payment_not_found": _operator("No payment has this id.", "Check the id."),
    "payment_already_reversed": _operator("The payment is reversed already.", _NOTHING_TO_DO),
    "reason_required": _operator(
        "The reason is empty or too long.",
        f"Give the reason in at most {MAX_REASON_CHARS} characters.",
    ),
    "ledger_differs": _operator(
        "Payments, their lines and bills do not agree.",
        "Look at the rows that differ before you change anything.",
    ),
    # History
    "invalid_time_frame": _resident(
        "date_down and date_up are not both null or both instants, the earlier one first.",
        "Echo `covered` of the last reply as it came.",
    ),
    "invalid_cursor": _resident(
        "The cursor is not one that this service handed out for this apartment.",
        "Echo `cursor` of the last reply as it came, or leave it out.",
    ),
    "history_frame_unknown": _resident(
        "The time frame does not end where the service's history has an event.",
        "Forget the cached history and ask with both dates null.",
    ),
    # Files of bills
    "file_not_utf8": _operator("The file is not UTF-8 text.", "Save it as CSV UTF-8."),
    "file_unreadable": _operator("The file can't be read.", "Check its name and permissions."),
    "file_empty": _operator("The file is empty.", "Export it again."),
    "line_too_long": _operator(
        f"The file has a line of more than {MAX_LINE_BYTES} bytes.",
        "Check that it is a CSV file of bills.",
    ),
    "header_invalid": _operator(
        "The first line does not name all columns.", "Name each column once, in any order."
    ),
    "delimiter_invalid": _operator(
        "The delimiter is neither a comma, a semicolon nor a tab.", "Use one of them."
    ),
    "import_id_reused": _operator(
        "Another file was imported with this import_id.", "Leave it out."
    ),
    "lines_rejected": _operator(
        "Some lines were rejected, the others were imported.",
        "Correct the rejected lines and import them. Importing the whole file again is safe.",
    ),
    # Lines of a file of bills
    "line_not_csv": _line("The line is not valid CSV. Check its quotes."),
    "wrong_column_count": _line("The line has more or fewer cells than the header."),
    "value_missing": _line("The cell is empty."),
    "value_has_spaces": _line("The cell begins or ends with a space."),
    "value_too_long": _line(f"The cell has more than {MAX_REFERENCE_CHARS} characters."),
    "control_character": _line("The cell has a control or invisible character."),
    "formula_rejected": _line("The cell begins like a spreadsheet formula (= + - @)."),
    "apartment_id_invalid": _line("The apartment's id is not a UUID."),
    "utility_invalid": _line("The utility is not a word of lower case letters, such as gas."),
    "provider_id_invalid": _line(
        "The provider's id is not 1 to 64 letters, digits, '.', '_' or '-'."
    ),
    "date_invalid": _line(
        "The date does not exist, or is not like 2026-11-15 (--profile continental: 15.11.2026)."
    ),
    "period_reversed": _line("The period ends before it begins."),
    "amount_invalid": _line(
        "The amount is not a decimal number like 51.40 (--profile continental: 51,40)."
    ),
    "amount_too_precise": _line("The amount has more decimals than its currency."),
    "amount_not_positive": _line("The amount must be more than zero."),
    "amount_too_large": _line(f"The amount is more than {MAX_AMOUNT_MINOR} minor units."),
    "currency_unknown": _line("The currency is not an ISO 4217 code in capitals, such as EUR."),
    "reference_duplicated": _line(
        "Another line of the file has the same provider, reference, utility and period."
        " Neither is issued."
    ),
    "provider_not_found": _line("No provider has this id. Add it first."),
    "utility_not_found": _line("There is no such utility."),
    "reference_of_other_apartment": _line("The bill belongs to another apartment."),
    "check_overdue": _operator(
        "Some apartments were not checked for too long.",
        "See why the nightly check falls behind; let it run more often.",
    ),
    # The database
    "migration_failed": _operator(
        "The database could not be migrated to this version.",
        "Fix the cause and migrate again: it goes on where it stopped.",
    ),
    # Our fault
    "service_unavailable": _resident(
        "The service could not answer now.", "Ask again in a minute.", status="failed"
    )
    | _operator(
        "A part of the service did not answer, so the outcome is not known.",
        "Run the same command again: nothing is done twice.",
        status="failed",
    ),
    "payment_outcome_unknown": _resident(
        "It is not known yet whether the payment took effect.",
        "Send the same payment with the same Idempotency-Key (by default the request_id):"
        " it can't take effect twice.",
        status="failed",
    ),
    "internal_error": _resident(
        "Something went wrong on our side.",
        "Ask again. If it persists, contact the operator with the request_id.",
        status="failed",
    )
    | _operator(
        "Something went wrong in the service.", "Read its log, then try again.", status="failed"
    ),
}


class Rejection(Exception):
    """A request that can't be done, with a code of the catalogue.

    `detail` says more to an operator. `data` is shown to whoever asked: it names offending fields
    or bills, never a value that a resident may not see.

    Raises:
        KeyError: the catalogue has no such code, which is a programming error.
    """

    def __init__(
        self, code: str, *, detail: str | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        self.kind = CATALOGUE[code]
        self.code = code
        self.detail = detail
        self.data = data
        super().__init__(code)

    @property
    def status(self) -> Status:
        """`rejected` or `failed`."""
        return self.kind.status

    @property
    def message(self) -> str:
        """What happened, as a sentence for residents."""
        return self.kind.message

    def for_operator(self) -> Text:
        """Say what happened, with the detail, and what to do, to an operator."""
        text = self.kind.operator or Text(self.kind.message, "")
        if self.detail is None:
            return text
        return text._replace(message=f"{text.message.removesuffix('.')}: {self.detail}.")


class Unavailable(Exception):
    """A part that the work needs (database, queue, identity provider) did not answer.

    Its text is for the log alone and holds no value of a request. Work that raises it may or
    may not have happened, so it is safe to repeat only what is idempotent.
    """


class TimedOut(Unavailable):
    """It took longer than it may. The same would again; less may not."""
