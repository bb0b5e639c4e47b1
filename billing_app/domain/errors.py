"""The catalogue of errors that a reply can carry.

Every code stands here once, with what happened and what the user can do; `docs/errors.md`
shows the same table and a test keeps the two in step. Codes are part of the contract: they are
added, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["rejected", "failed"]


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A row of the catalogue.

    `rejected`: the request can't be done as asked, and asking again changes nothing.
    `failed`: our fault, ask again.
    """

    status: Status
    message: str
    advice: str


def _rejected(message: str, advice: str) -> ErrorKind:
    return ErrorKind("rejected", message, advice)


def _failed(message: str, advice: str) -> ErrorKind:
    return ErrorKind("failed", message, advice)


CATALOGUE: Mapping[str, ErrorKind] = {
    # The request itself
    "invalid_request": _rejected(
        "The request has a field that is missing, unknown or malformed.",
        "Compare the body with the contract; `data.fields` names what is wrong.",
    ),
    "invalid_idempotency_key": _rejected(
        "The Idempotency-Key is not 1 to 200 printable ASCII characters.",
        "Send a UUID as the key.",
    ),
    # Login
    "invalid_credentials": _rejected(
        "The username or the password is wrong.",
        "Check both and log in again.",
    ),
    "account_disabled": _rejected(
        "This account is disabled.",
        "Ask the operator to enable it.",
    ),
    "account_not_confirmed": _rejected(
        "This account is not confirmed yet.",
        "Finish the registration, or ask the operator.",
    ),
    "new_password_required": _rejected(
        "A new password must be chosen before the first login.",
        "Log in again with `new_password` beside the current one.",
    ),
    "invalid_new_password": _rejected(
        "The new password does not meet the password rules.",
        "Choose a longer password with upper and lower case letters, digits and a symbol.",
    ),
    "password_reset_required": _rejected(
        "The password must be reset.",
        "Ask the operator to set a new one.",
    ),
    "challenge_not_supported": _rejected(
        "This account asks for a login step that this API does not offer.",
        "Ask the operator which login steps your account needs.",
    ),
    "session_expired": _rejected(
        "The refresh token is not valid any more.",
        "Log in with username and password.",
    ),
    "resident_not_found": _rejected(
        "The login is right, but no resident belongs to it.",
        "Ask the operator to add you as a resident.",
    ),
    "login_throttled": _failed(
        "Too many login attempts.",
        "Wait a minute, then log in again.",
    ),
    # Apartments, bills and payments
    "apartment_not_found": _rejected(
        "No apartment of yours has this id.",
        "Use an id from the list that the login returned.",
    ),
    "bill_not_found": _rejected(
        "One of the bills is not a bill of this apartment.",
        "Fetch the current debts; `data.bills` names the unknown ones.",
    ),
    "bill_already_paid": _rejected(
        "One of the bills is paid already. Nothing was paid now.",
        "Fetch the current debts; `data.bills` names the paid ones.",
    ),
    "bill_void": _rejected(
        "One of the bills was withdrawn or replaced. Nothing was paid.",
        "Fetch the current debts; `data.bills` names the withdrawn ones.",
    ),
    "currency_mixed": _rejected(
        "The bills are in different currencies. Nothing was paid.",
        "Pay the bills of each currency in a payment of its own.",
    ),
    "total_changed": _rejected(
        "The bills do not add up to the expected total. Nothing was paid.",
        "Show the resident the new total in `data.total_minor` and ask again.",
    ),
    "idempotency_key_reused": _rejected(
        "This Idempotency-Key was used for another payment request. Nothing was paid.",
        "Use a new key for a new payment.",
    ),
    # History
    "invalid_time_frame": _rejected(
        "date_down and date_up are not both null or both instants, the earlier one first.",
        "Echo `covered` of the last reply as it came.",
    ),
    "invalid_cursor": _rejected(
        "The cursor is not one that this service handed out for this apartment.",
        "Echo `cursor` of the last reply as it came, or leave it out.",
    ),
    "history_frame_unknown": _rejected(
        "The time frame does not end where the service's history has an event.",
        "Forget the cached history and ask with both dates null.",
    ),
    # Our fault
    "service_unavailable": _failed(
        "The service could not answer now.",
        "Ask again in a minute.",
    ),
    "payment_outcome_unknown": _failed(
        "It is not known yet whether the payment took effect.",
        "Send the same payment with the same Idempotency-Key (by default the request_id): "
        "it can't take effect twice.",
    ),
    "internal_error": _failed(
        "Something went wrong on our side.",
        "Ask again; if it stays, tell the operator the request_id.",
    ),
}


class Rejection(Exception):
    """A request that can't be done, with a code of the catalogue.

    `data` is shown to the user: it names offending fields or bills, never a value that the user
    may not see. A code outside of the catalogue is a programming error and raises `KeyError`.
    """

    def __init__(self, code: str, *, data: Mapping[str, Any] | None = None) -> None:
        self.kind = CATALOGUE[code]
        self.code = code
        self.data = data
        super().__init__(code)

    @property
    def status(self) -> Status:
        """`rejected` or `failed`."""
        return self.kind.status

    @property
    def message(self) -> str:
        """What happened, as a sentence for the user."""
        return self.kind.message


class Unavailable(Exception):
    """A part that the work needs (database, queue, identity provider) did not answer.

    Its text is for the log alone and holds no value of a request. Work that raises it may or
    may not have happened, so it is safe to repeat only what is idempotent.
    """
