"""`python -m tools.deploy_check`: try a deployment on this machine; see docs/deploy-check.md.

Exit codes: 0 all went well; 1 something is not as it should be; 2 this machine lacks something, or
the arguments are wrong; 130 interrupted.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import httpx
import psycopg2
from billing_client import BillingError
from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy_check.deployment import PROJECT, Plan
from tools.deploy_check.errors import NotPrepared, RehearsalError
from tools.deploy_check.run import SHORT, Wishes, rehearse
from tools.deploy_check.show import Show
from tools.deploy_check.stage import EMULATOR_PYTHON
from tools.local.errors import LocalCloudError

_FAILURES = (
    RehearsalError,
    LocalCloudError,
    BillingError,
    BotoCoreError,
    ClientError,
    httpx.HTTPError,
    psycopg2.Error,
)
_DEFAULT_VARIABLES = PROJECT / "terraform" / "environments" / "dev.tfvars"


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, and return the exit code."""
    options = _options(arguments)
    show = Show()
    signal.signal(signal.SIGTERM, _interrupt)
    folder = options.folder.resolve()
    _clear(folder)
    try:
        rehearse(folder, _wishes(options), show, emulator=options.emulator)
    except NotPrepared as error:
        show.failed(str(error), logs=str(folder / "logs"))
        return 2
    except _FAILURES as error:
        show.failed(f"{type(error).__name__}: {error}", logs=str(folder / "logs"))
        return 1
    except KeyboardInterrupt:
        show.failed("It was interrupted.", logs=str(folder / "logs"))
        return 130
    show.passed("The rehearsal passed")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy_check", description=__doc__)
    add = parser.add_argument
    add(
        "--var-file",
        type=Path,
        action="append",
        help="variables (default: environments/dev.tfvars)",
    )
    add("--var", action="append", default=[], metavar="NAME=VALUE", help="a single variable")
    add(
        "--folder", type=Path, default=PROJECT / "build" / "deploy-check", help="for state and logs"
    )
    add("--emulator", type=Path, default=EMULATOR_PYTHON, help="Python that has ministack")
    add(
        "--least-privilege",
        choices=("all", "short"),
        default="all",
        help="short: gateway, payments",
    )
    return parser.parse_args(arguments)


def _wishes(options: argparse.Namespace) -> Wishes:
    variables = dict(one.partition("=")[::2] for one in options.var)
    files = options.var_file or [_DEFAULT_VARIABLES]
    roles = SHORT if options.least_privilege == "short" else None
    return Wishes(Plan(variable_files=files, variables=variables), roles)


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier rehearsal; any other folder must be empty already."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "logs").is_dir():
        sys.exit(f"{folder} holds something else; name another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
