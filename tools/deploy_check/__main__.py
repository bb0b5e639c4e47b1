"""`python -m tools.deploy_check`: try a deployment on this machine; see docs/deploy-check.md.

Exit codes: 0 passed; 1 failed; 2 this machine lacks something, or the arguments are wrong; 130
interrupted.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import psycopg2
from billing_client import BillingError
from botocore.exceptions import BotoCoreError, ClientError

from tools.console import Console, fail
from tools.deploy_check.check import Options, run
from tools.deploy_check.errors import DeployCheckError, MissingPrerequisiteError
from tools.local.errors import LocalStackError
from tools.local.settings import REPOSITORY
from tools.operator_client import OperatorError

_FAILURES = (
    DeployCheckError,
    LocalStackError,
    OperatorError,
    BillingError,
    BotoCoreError,
    ClientError,
    httpx.HTTPError,
    psycopg2.Error,
)
_DEFAULT_VARIABLES = REPOSITORY / "terraform" / "environments" / "dev.tfvars"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check and return the exit code."""
    given = _arguments(arguments)
    folder = given.folder.resolve()
    options = Options(
        variable_files=given.var_file or [_DEFAULT_VARIABLES],
        variables=dict(one.partition("=")[::2] for one in given.var),
        roles=("gateway", "payments") if given.least_privilege == "short" else None,
    )
    console = Console()
    _clear(folder)
    try:
        run(folder, options, console)
    except MissingPrerequisiteError as error:
        return _failed(str(error), folder, code=2)
    except _FAILURES as error:
        return _failed(f"{type(error).__name__}: {error}", folder, code=1)
    except KeyboardInterrupt:
        return _failed("Interrupted.", folder, code=130)
    console.passed("The deployment check passed")
    return 0


def _failed(text: str, folder: Path, *, code: int) -> int:
    fail(f"The deployment check failed. {text}\nLogs: {folder / 'logs'}")
    return code


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy_check", description=__doc__)
    add = parser.add_argument
    add("--var-file", type=Path, action="append", help="default: environments/dev.tfvars")
    add("--var", action="append", default=[], metavar="NAME=VALUE", help="a single variable")
    add("--folder", type=Path, default=REPOSITORY / "build" / "deploy-check", help="state and logs")
    add("--least-privilege", choices=("all", "short"), default="all", help="short: two roles")
    return parser.parse_args(arguments)


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier check; any other folder must be empty already."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "logs").is_dir():
        sys.exit(f"{folder} holds something else; name another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


if __name__ == "__main__":
    # As Ctrl-C does, so that it ends in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
