"""`billing-admin`: operators manage residents, bills and payments."""

from __future__ import annotations

from typing import Any

import click

from billing_app.admin.cli.commands import add_commands
from billing_app.admin.cli.context import (
    EXIT_INTERRUPTED,
    Backend,
    CliContext,
    json_option,
)
from billing_app.admin.cli.imports import import_command
from billing_app.admin.cli.reconciliation import reconcile
from billing_app.domain.errors import Rejection, Unavailable

EPILOG = """\b
Exit codes:
  0    done
  1    failed: the outcome is not known, run the same command again
  2    wrong command line or settings
  3    rejected: the code says why
  4    import: some lines were rejected
  5    reconcile: payments, lines and bills do not agree
  130  interrupted, or not confirmed
"""


class AdminGroup(click.Group):
    """Turns every error into one sentence with a stable code, and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.Abort, KeyboardInterrupt):
            click.echo("billing-admin: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            cli = ctx.find_object(CliContext)
            if cli is None or cli.traceback:
                raise
            raise cli.not_done(_rejection(error)) from error


def _rejection(error: Exception) -> Rejection:
    """Choose a code for an error; its own text may hold values and is not shown."""
    if isinstance(error, Rejection):
        return error
    if isinstance(error, Unavailable):
        return Rejection("service_unavailable")
    return Rejection("internal_error", detail=f"{type(error).__name__}, see --traceback")


@click.group(
    cls=AdminGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--local", is_flag=True, help="Use the service that `make up` runs.")
@click.option("--invoke", metavar="PREFIX", help="Use the deployed functions PREFIX-<name>.")
@click.option("--traceback", is_flag=True, help="Show the traceback of an unexpected error.")
@json_option
@click.version_option(package_name="utilities-billing-service")
@click.pass_obj
def billing_admin(cli: CliContext, local: bool, invoke: str | None, traceback: bool) -> None:
    """Manage residents, bills and payments of the utilities billing service."""
    cli.local, cli.invoke, cli.traceback = local, invoke, traceback
    if local and invoke:
        raise click.UsageError("Give either --local or --invoke PREFIX.")


@billing_admin.command()
@json_option
@click.pass_obj
def migrate(cli: CliContext) -> None:
    """Apply the migrations that the database lacks.

    \b
    Example:
      billing-admin --local migrate
    """
    data = cli.ask("migrate", {})
    names = ", ".join(data["applied"])
    cli.say(data, f"Applied: {names}." if names else "The database was up to date.")


billing_admin.add_command(import_command)
billing_admin.add_command(reconcile)
add_commands(billing_admin)


def _open_backend(prefix: str | None) -> Backend:
    # boto3 takes a second to import, which --help need not wait for.
    from billing_app.admin.cli.backends import invoked_backend, local_backend

    return invoked_backend(prefix) if prefix else local_backend()


def main() -> None:
    """Run the command with this process's arguments and environment."""
    billing_admin(obj=CliContext(_open_backend))
