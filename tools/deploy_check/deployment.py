"""The configuration as the check deploys it: a copy, its package, where the provider finds AWS."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.deploy_check.environment import ACCOUNT, Environment
from tools.deploy_check.errors import DeployCheckError
from tools.local.settings import REPOSITORY
from tools.package.__main__ import build
from tools.package.errors import PackagingError

_OVERRIDES = Path(__file__).with_name("overrides")
# Where moto is the better emulator; docs/deploy-check.md tells why.
BY_MOTO = ("apigateway", "cloudwatch", "wafv2")
_BY_MINISTACK = (
    *("acm", "cloudwatchlogs", "cognitoidp", "dynamodb", "ec2", "elasticache", "events", "iam"),
    *("kms", "lambda", "rds", "resourcegroupstaggingapi", "route53", "s3", "scheduler"),
    *("secretsmanager", "sns", "sqs", "ssm", "sts"),
)


def prepare(folder: Path, *, variable_files: Sequence[Path], environment: Environment) -> None:
    """Copy the configuration to `folder` and fit it to the emulators."""
    skipped = shutil.ignore_patterns(
        ".terraform*", "*.tfstate*", "*.auto.tfvars", "tests", "backend.tf"
    )
    shutil.copytree(REPOSITORY / "terraform", folder, ignore=skipped)
    shutil.copytree(_OVERRIDES, folder, dirs_exist_ok=True)
    _write(folder / "provider_override.tf.json", _provider(environment))
    for number, file in enumerate(variable_files):
        shutil.copy(file, folder / f"{number:02d}.auto.tfvars")
    _write(folder / "emulated.auto.tfvars.json", _variables(environment))


def package(folder: Path) -> None:
    """Build the package of the functions into the copy.

    Raises:
        DeployCheckError: it can't be built.
    """
    module = folder / "modules" / "functions"
    try:
        build(project=REPOSITORY, output=module)
    except PackagingError as error:
        raise DeployCheckError(str(error)) from error
    definition = json.loads((module / "chalice.tf.json").read_text("utf-8"))
    # Every function takes its package from the bucket of the overrides.
    source = {
        "filename": "${null}",
        "s3_bucket": "${aws_s3_object.package.bucket}",
        "s3_key": "${aws_s3_object.package.key}",
    }
    functions = dict.fromkeys(definition["resource"]["aws_lambda_function"], source)
    _write(module / "package_override.tf.json", {"resource": {"aws_lambda_function": functions}})


def _provider(environment: Environment) -> dict[str, Any]:
    endpoints = {
        **dict.fromkeys(_BY_MINISTACK, environment.aws_url),
        **dict.fromkeys(BY_MOTO, environment.moto_url),
    }
    aws = {
        "access_key": ACCOUNT,
        "secret_key": environment.credentials["AWS_SECRET_ACCESS_KEY"],
        "custom_ca_bundle": str(environment.authority),
        "skip_metadata_api_check": True,
        "s3_use_path_style": True,
        "endpoints": [endpoints],
    }
    return {"provider": {"aws": aws}}


def _variables(environment: Environment) -> dict[str, Any]:
    database = urlsplit(environment.database_url)
    return {
        "emulated": True,
        # Whatever the check deploys, it destroys.
        "deletion_protection": False,
        "emulated_database": {"port": database.port, "password": database.password},
        "emulated_cache_port": urlsplit(environment.cache_url).port,
    }


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
