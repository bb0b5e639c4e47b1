"""The command group: help, and the exit code of each error."""

from __future__ import annotations

import sys
from typing import Any

import click

from billing_client.cli import account, debts, exit_codes, history, pay
from billing_client.cli.context import JSON_REQUESTED
from billing_client.cli.terminal import Terminal
from billing_client.errors import BillingError, ServiceFailed


class BillingGroup(click.Group):
    """Turns errors of every command into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit with a documented code if it fails."""
        try:
            return super().invoke(ctx)
        except BillingError as error:
            ctx.exit(exit_codes.report(_terminal(ctx), error))
        except BrokenPipeError:
            raise
        except OSError as error:
            ctx.exit(exit_codes.report(_terminal(ctx), _file_error(error)))
        except (KeyboardInterrupt, click.Abort) as stop:
            ctx.exit(_interrupted(_terminal(ctx), stop))


def _terminal(ctx: click.Context) -> Terminal:
    return Terminal(as_json=bool(ctx.meta.get(JSON_REQUESTED)))


def _file_error(error: OSError) -> BillingError:
    place = f" {error.filename}" if error.filename else ""
    return ServiceFailed("file_error", f"Can't use the file{place}: {error.strerror}.")


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
    "4 failed (try again), 5 timed out, 6 not logged in, 7 no connection, 130 interrupted.",
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
