"""`billing-admin`: what operators do to the books and the logins."""

from __future__ import annotations

import os
from typing import Any

import click

from billing_app.commands.imports import import_command
from billing_app.commands.migrations import migrate
from billing_app.commands.places import apartment, provider
from billing_app.commands.reconciliation import reconcile
from billing_app.commands.residents import resident
from billing_app.commands.reversals import reverse, void
from billing_app.commands.session import (
    EXIT_INTERRUPTED,
    Declined,
    Reach,
    Session,
    json_option,
)
from billing_app.commands.settings import Target
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.use_cases.operator_events import rejected

EPILOG = """\b
Exit codes:
  0    done
  1    failed: the outcome is not known, run the same command again
  2    the command line or the settings are wrong
  3    rejected; the code says why
  4    import: some lines were rejected
  5    reconcile: the books do not agree
  130  interrupted, or not confirmed

The connection comes from the environment: BILLING_PREFIX, USER_POOL_ID, AWS_ENDPOINT_URL (if it
isn't AWS's own) and DATABASE_SECRET_ID (<prefix>/database/operator unless set).
"""


class AdminGroup(click.Group):
    """Will turn every error into one sentence with a stable code, and an exit code."""

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
            raise _declined(ctx.find_object(Session), error) from error


def _declined(session: Session | None, error: Exception) -> Exception:
    """Choose how an error ends the command; its own text may hold values and is not shown."""
    if session is None or session.traceback:
        return error
    rejection = error if isinstance(error, Rejection) else _our_fault(error)
    return Declined(rejected(rejection), as_json=session.as_json)


def _our_fault(error: Exception) -> Rejection:
    if isinstance(error, Unavailable):
        return Rejection("service_unavailable")
    return Rejection("internal_error", detail=f"{type(error).__name__}, see --traceback")


@click.group(
    cls=AdminGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--local", is_flag=True, help="Work on the service that `make up` runs.")
@click.option("--invoke", metavar="PREFIX", help="Invoke the deployed functions PREFIX-<name>.")
@click.option("--traceback", is_flag=True, help="Show where an unexpected error came from.")
@json_option
@click.version_option(package_name="utilities-billing-service")
@click.pass_context
def billing_admin(ctx: click.Context, local: bool, invoke: str | None, traceback: bool) -> None:
    """Manage residents, bills and payments of the utilities billing service."""
    if local and invoke:
        raise click.UsageError("Give either --local or --invoke.")
    session = ctx.obj
    session.target = Target(environment=session.target.environment, local=local, invoke=invoke)
    session.traceback = traceback


for command in (apartment, import_command, migrate, provider, reconcile, resident, reverse, void):
    billing_admin.add_command(command)


def _open_reach(target: Target) -> Reach:
    # boto3 takes a second to import, which --help need not wait for.
    from billing_app.commands.wiring import open_reach

    return open_reach(target)


def main() -> None:
    """Run the command with this process's arguments and environment."""
    billing_admin(obj=Session(_open_reach, Target(environment=os.environ)))
