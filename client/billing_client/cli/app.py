"""The command group: help, and the way from an error to an exit code."""

from __future__ import annotations

import sys
from typing import Any

import click

from billing_client.cli import failures
from billing_client.cli.commands import account, debts, history, pay
from billing_client.cli.desk import JSON_ASKED
from billing_client.cli.terminal import Terminal
from billing_client.errors import BillingError, ServiceFailed

INTERRUPTED = "Interrupted."


class BillingGroup(click.Group):
    """Turns errors into a sentence and an exit code, for every command alike."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BillingError as error:
            ctx.exit(failures.tell(_terminal(ctx), error))
        except BrokenPipeError:
            raise
        except OSError as error:
            ctx.exit(failures.tell(_terminal(ctx), _storage_failed(error)))
        except (KeyboardInterrupt, click.Abort) as stop:
            ctx.exit(_stopped(_terminal(ctx), stop))


def _terminal(ctx: click.Context) -> Terminal:
    return Terminal(as_json=bool(ctx.meta.get(JSON_ASKED)))


def _storage_failed(error: OSError) -> BillingError:
    place = f" {error.filename}" if error.filename else ""
    return ServiceFailed("file_error", f"The file{place} can't be used: {error.strerror}.")


def _stopped(terminal: Terminal, stop: BaseException) -> int:
    """A question that nobody can answer is a mistake of the call, Ctrl-C is a wish."""
    if isinstance(stop, click.Abort) and not sys.stdin.isatty():
        terminal.warn("There was no answer to a question. Nothing was done; see --help.")
        return failures.USAGE
    terminal.warn(INTERRUPTED)
    return failures.INTERRUPTED


@click.group(
    cls=BillingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 declined at the question, 2 wrong usage, 3 rejected, "
    "4 failed (try again), 5 no answer in time, 6 not logged in, 7 no connection, "
    "130 interrupted.",
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
