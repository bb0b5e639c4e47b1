"""What a failure means for the shell and for the person at it."""

from __future__ import annotations

from typing import Any

from billing_client.cli.terminal import Terminal, json_text, safe
from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    NotLoggedIn,
    RequestRejected,
)
from billing_client.pending import PAYMENTS

DECLINED, USAGE, REJECTED, FAILED, TIMED_OUT, LOGGED_OUT, UNREACHABLE = range(1, 8)
INTERRUPTED = 130

RESUME = (
    "The payment may have been made: run `billing pay --resume` to fetch its outcome. "
    "It can't be paid twice."
)
ADVICE = {
    "account_disabled": "Ask the operator to enable your account.",
    "account_not_confirmed": "Finish your registration, or ask the operator.",
    "apartment_not_found": "Run `billing apartments --refresh` to see your apartments.",
    "bill_already_paid": "Run `billing debts` to see what is still owed.",
    "bill_not_found": "Run `billing debts` to see what is owed.",
    "bill_void": "Run `billing debts` to see what is owed now.",
    "currency_mixed": "Pay the bills of each currency by themselves.",
    "invalid_credentials": "Check username and password, then run `billing login` again.",
    "invalid_new_password": "Run `billing login` again with a longer, more varied new password.",
    "password_reset_required": "Ask the operator to set a new password.",
    "login_throttled": "Wait a minute, then run `billing login` again.",
    "resident_not_found": "Ask the operator to add you as a resident.",
    "total_changed": "Nothing was paid. Run `billing debts`, then pay again.",
}


def exit_code(error: BillingError) -> int:
    """Return the documented exit code of a failure."""
    if isinstance(error, GatewayRejected):
        return FAILED if error.may_pass else REJECTED
    kinds: tuple[tuple[type[BillingError], int], ...] = (
        (RequestRejected, REJECTED),
        (AnswerTimeout, TIMED_OUT),
        (NotLoggedIn, LOGGED_OUT),
        (ConnectionFailed, UNREACHABLE),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), FAILED)


def advice(error: BillingError) -> str:
    """Return what to do about a failure, as a sentence."""
    if error.pending is not None and error.pending.operation == PAYMENTS:
        login = "Run `billing login` first. " if isinstance(error, NotLoggedIn) else ""
        return login + RESUME
    if error.code in ADVICE:
        return ADVICE[error.code]
    return _general_advice(error)


def _general_advice(error: BillingError) -> str:
    if isinstance(error, NotLoggedIn):
        return "Run `billing login`."
    if isinstance(error, ConnectionFailed):
        return "Check the address (--url or BILLING_URL) and your connection, then try again."
    if isinstance(error, AnswerTimeout):
        return "Run the command again, with a longer --timeout if need be."
    if isinstance(error, GatewayRejected) and error.retry_after_seconds:
        return f"Try again in {error.retry_after_seconds:.0f} seconds."
    if exit_code(error) == FAILED:
        reference = f" and give the request id {error.request_id}" if error.request_id else ""
        return f"Try again in a minute; if it stays, tell the operator{reference}."
    return "Run `billing --help` to see what can be asked."


def tell(terminal: Terminal, error: BillingError) -> int:
    """Tell on stderr what went wrong and what to do; returns the exit code."""
    code = exit_code(error)
    if terminal.as_json:
        terminal.err.out(json_text({"error": _as_json(error, code)}))
    else:
        terminal.err.print(f"Error: {safe(error.message)}", style="bold red", soft_wrap=True)
        terminal.err.print(safe(advice(error)), soft_wrap=True)
    return code


def _as_json(error: BillingError, code: int) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "advice": advice(error),
        "exit_code": code,
        "request_id": error.request_id,
        "idempotency_key": error.pending.idempotency_key if error.pending else None,
    }
