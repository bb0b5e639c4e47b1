"""The command group: help, and the exit code of each error."""

from __future__ import annotations

import os
import sys
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
        except BrokenPipeError:
            if _not_shown(ctx) is None:
                raise
            # Nobody reads on, but the exit code still tells. What is left of the output would fail
            # again when Python ends: https://docs.python.org/3/library/signal.html#note-on-sigpipe
            with suppress(UnsupportedOperation):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(exit_codes.OPEN)
        except OSError as error:
            ctx.exit(exit_codes.report(_terminal(ctx), _file_error(ctx, error)))
        except (KeyboardInterrupt, click.Abort) as stop:
            ctx.exit(_interrupted(_terminal(ctx), stop))

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
    except (SystemExit, click.exceptions.Exit):
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


def _file_error(ctx: click.Context, error: OSError) -> BillingError:
    place = f" {error.filename}" if error.filename else ""
    message = f"Can't use the file{place}: {error.strerror}."
    return ServiceFailed("file_error", message).with_pending(_not_shown(ctx))


def _not_shown(ctx: click.Context) -> PendingRequest | None:
    return ctx.meta[OUTCOMES].not_shown if OUTCOMES in ctx.meta else None


def _interrupted(terminal: Terminal, stop: BaseException) -> int:
    """A prompt that nobody can answer is wrong usage, Ctrl-C is the user's decision."""
    if isinstance(stop, click.Abort) and not sys.stdin.isatty():
        terminal.warn("Input required; nothing was changed. See --help for how to avoid prompts.")
        return exit_codes.USAGE
    terminal.warn("Interrupted.")
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
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    cli(prog_name="billing")
