"""The exit code of each error, and what the user can do about it."""

from __future__ import annotations

from collections.abc import Sequence

from billing_client.cli.terminal import Terminal, json_text, safe
from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    NotLoggedIn,
    RequestRejected,
    SelectionError,
)
from billing_client.serialization import Json

CANCELLED, USAGE, REJECTED, FAILED, TIMED_OUT, LOGGED_OUT, UNREACHABLE, OPEN = range(1, 9)
INTERRUPTED = 130

RESUME = (
    "The payment may have been made. Run `billing pay --resume` to get its outcome. "
    "It can't be paid twice."
)
ADVICE = {
    "account_disabled": "Ask the operator to enable your account.",
    "account_not_confirmed": "Complete your registration, or ask the operator.",
    "apartment_not_found": "Run `billing apartments --refresh` to see your apartments.",
    "bill_already_paid": "Run `billing debts` to see what is still owed.",
    "bill_ambiguous": "Give more characters of the id.",
    "bill_not_found": "Run `billing debts` to see what is owed.",
    "bill_of_former_resident": "Leave it out: who owes it can still pay it.",
    "bill_void": "Run `billing debts` to see what is owed now.",
    "client_error": "Please report what was printed.",
    "currency_mixed": "Pay the bills of each currency separately.",
    "file_error": "Make sure that the disk has space and that you may write there, then try again.",
    "history_not_fetched": "Run the command without --offline.",
    "invalid_credentials": "Check username and password, then run `billing login` again.",
    "invalid_new_password": "Run `billing login` again with a longer, more varied new password.",
    "invitation_expired": "Ask the operator to send the invitation again.",
    "login_throttled": "Wait a minute, then run `billing login` again.",
    "no_apartment": "Ask the operator to add it, then run `billing apartments --refresh`.",
    "no_matching_bill": "Run `billing debts` to see what is owed.",
    "password_reset_required": "Ask the operator to set a new password.",
    "receipt_not_found": "Run `billing history` to see your receipts.",
    "request_expired": "Nothing was paid. Run `billing debts`, then pay again.",
    "resident_not_found": "Ask the operator to add you as a resident.",
    "too_many_bills": "Pay in several steps, for example by --period.",
    "total_changed": "Nothing was paid. Run `billing debts`, then pay again.",
}


_CODES: Sequence[tuple[type[BillingError], int]] = (
    (RequestRejected, REJECTED),
    (SelectionError, REJECTED),
    (AnswerTimeout, TIMED_OUT),
    (NotLoggedIn, LOGGED_OUT),
    (ConnectionFailed, UNREACHABLE),
)


def exit_code(error: BillingError) -> int:
    """Return the documented exit code of an error.

    A payment that may have been made has a code of its own, whatever the trouble was.
    """
    if error.pending is not None and error.pending.idempotency_key is not None:
        return OPEN
    if isinstance(error, GatewayRejected) and not error.is_retryable:
        return REJECTED
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def advice(error: BillingError) -> str:
    """Return what to do about an error, as a sentence."""
    if error.pending is not None and error.pending.idempotency_key is not None:
        login = "Run `billing login` first. " if isinstance(error, NotLoggedIn) else ""
        return login + RESUME
    return ADVICE.get(error.code) or _general_advice(error)


def _general_advice(error: BillingError) -> str:
    match error:
        case NotLoggedIn():
            return "Run `billing login`."
        case ConnectionFailed():
            return "Check the address (--url or BILLING_URL) and your network, then try again."
        case AnswerTimeout():
            return "Run the command again, with a longer --timeout if necessary."
        case GatewayRejected(retry_after_seconds=seconds) if seconds:
            return f"Try again in {seconds:.0f} seconds."
    if exit_code(error) == FAILED:
        reference = f" with the request id {error.request_id}" if error.request_id else ""
        return f"Try again in a minute. If the problem persists, contact support{reference}."
    return "Run `billing --help` to see the commands."


def report(terminal: Terminal, error: BillingError) -> int:
    """Print an error and what to do about it to stderr; return the exit code."""
    code = exit_code(error)
    if terminal.as_json:
        terminal.err.out(json_text({"error": _as_json(error, code)}))
    else:
        terminal.err.print(f"Error: {safe(error.message)}", style="bold red", soft_wrap=True)
        terminal.err.print(safe(advice(error)), soft_wrap=True)
    return code


def _as_json(error: BillingError, code: int) -> Json:
    return {
        "code": error.code,
        "message": error.message,
        "advice": advice(error),
        "exit_code": code,
        "request_id": error.request_id,
        "idempotency_key": error.pending.idempotency_key if error.pending else None,
    }
