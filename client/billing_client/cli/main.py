"""The command group: help, and the exit code of each error."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import Any

import click

from billing_client.cli import account, debts, exit_codes, history, pay
from billing_client.cli.context import JSON_REQUESTED, OUTCOMES
from billing_client.cli.terminal import Terminal
from billing_client.errors import BillingError, ServiceFailed
from billing_client.models import PendingRequest


class BillingGroup(click.Group):
    """Turns errors of every command into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit with a documented code if it fails."""
        try:
            with _outcomes_shown(ctx):
                return self._invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort) as stop:
            code = _interrupted(ctx, stop)
        except OSError as error:
            _discard_unwritten_output()
            code = _failed(ctx, _file_error(error), quiet=isinstance(error, BrokenPipeError))
        except Exception as error:  # A bug must not end with the exit code of something else.
            code = _failed(ctx, _bug(ctx, error))
        return ctx.exit(code)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BillingError as error:
            return ctx.exit(exit_codes.report(_terminal(ctx), error))


@contextmanager
def _outcomes_shown(ctx: click.Context) -> Iterator[None]:
    """Forget pending payments once all output about their outcome is written."""
    try:
        yield
    except (SystemExit, click.exceptions.Exit, click.ClickException):
        _forget_shown(ctx)
        raise
    _forget_shown(ctx)


def _forget_shown(ctx: click.Context) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    if OUTCOMES in ctx.meta:
        ctx.meta[OUTCOMES].forget_shown()


def _terminal(ctx: click.Context) -> Terminal:
    return Terminal(as_json=bool(ctx.meta.get(JSON_REQUESTED)))


def _file_error(error: OSError) -> BillingError:
    place = f" {error.filename}" if error.filename else ""
    return ServiceFailed("file_error", f"Can't use the file{place}: {error.strerror or error}.")


def _bug(ctx: click.Context, error: Exception) -> BillingError:
    with suppress(OSError):
        if not ctx.meta.get(JSON_REQUESTED):
            traceback.print_exception(error)
    return ServiceFailed("client_error", f"{type(error).__name__}: {error}")


def _not_shown(ctx: click.Context) -> PendingRequest | None:
    return ctx.meta[OUTCOMES].not_shown if OUTCOMES in ctx.meta else None


def _failed(ctx: click.Context, error: BillingError, *, quiet: bool = False) -> int:
    """Report an error as far as somebody reads on; the exit code tells in any case."""
    error = error.with_pending(_not_shown(ctx))
    with suppress(OSError):
        if not quiet:
            exit_codes.report(_terminal(ctx), error)
    return exit_codes.exit_code(error)


def _discard_unwritten_output() -> None:
    """Keep what could not be written from failing again when Python ends.

    See https://docs.python.org/3/library/signal.html#note-on-sigpipe.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(UnsupportedOperation):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupted(ctx: click.Context, stop: BaseException) -> int:
    """A prompt that nobody can answer is wrong usage, Ctrl-C is the user's decision."""
    terminal, pending = _terminal(ctx), _not_shown(ctx)
    with suppress(OSError):
        if isinstance(stop, click.Abort) and not sys.stdin.isatty():
            terminal.warn("Input required; nothing was changed. Use --help to avoid prompts.")
            return exit_codes.USAGE
        terminal.warn("Interrupted." if pending is None else f"Interrupted. {exit_codes.RESUME}")
    return exit_codes.INTERRUPTED


@click.group(
    cls=BillingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 cancelled at the prompt, 2 wrong usage, 3 rejected, "
    "4 failed (try again), 5 timed out, 6 not logged in, 7 no connection, 8 a payment may have "
    "been made, 130 interrupted.",
)
@click.version_option(package_name="utilities-billing-client")
def cli() -> None:
    """See and pay the gas, water and electricity bills of your apartments.

    \b
    Examples:
      billing login ada@example.com
      billing debts
      billing pay --utility gas --period 2026-10
      billing history --by provider
    """


for command in (
    account.login,
    account.logout,
    account.apartments,
    debts.debts,
    pay.pay,
    history.history,
    history.receipt,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; characters that the terminal can't show are replaced."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    cli(prog_name="billing")


def _open_closed_streams() -> None:
    """Replace streams that the caller closed: nothing is read from them or written to them.

    A result needs a reader, so writing it to a closed stdout fails.
    """
    unreadable, unwritable = (os.fdopen(os.open(os.devnull, os.O_RDONLY)) for _ in range(2))
    sys.stdin = sys.stdin or unreadable
    sys.stdout = sys.stdout or unwritable
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
