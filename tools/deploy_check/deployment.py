"""The configuration as it is rehearsed: a copy, its package, where the provider finds AWS."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.stage import ACCOUNT, Stage
from tools.package.__main__ import build
from tools.package.errors import PackagingError

PROJECT = Path(__file__).resolve().parents[2]
_OVERRIDES = Path(__file__).with_name("overrides")
# Where moto is the better emulator; docs/deploy-check.md tells why.
_BY_MOTO = ("apigateway", "cloudwatch", "wafv2")
_BY_MINISTACK = (
    *("acm", "cloudwatchlogs", "cognitoidp", "dynamodb", "ec2", "elasticache", "events", "iam"),
    *("kms", "lambda", "rds", "resourcegroupstaggingapi", "route53", "s3", "scheduler"),
    *("secretsmanager", "sns", "sqs", "ssm", "sts"),
)


@dataclass(frozen=True)
class Plan:
    """What is deployed: files of variables, as an operator gives them, and single ones."""

    variable_files: Sequence[Path] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def prepare(folder: Path, *, plan: Plan, stage: Stage) -> None:
    """Copy the configuration to `folder` and fit it to the emulators."""
    skipped = shutil.ignore_patterns(
        ".terraform*", "*.tfstate*", "*.auto.tfvars", "tests", "backend.tf"
    )
    shutil.copytree(PROJECT / "terraform", folder, ignore=skipped)
    shutil.copytree(_OVERRIDES, folder, dirs_exist_ok=True)
    _write(folder / "provider_override.tf.json", _provider(stage))
    for number, file in enumerate(plan.variable_files):
        shutil.copy(file, folder / f"{number:02d}.auto.tfvars")
    _write(folder / "tools.deploy_check.auto.tfvars.json", _variables(stage))


def package(folder: Path) -> None:
    """Build the package of the functions into the copy. Raises RehearsalError."""
    module = folder / "modules" / "functions"
    try:
        build(project=PROJECT, output=module)
    except PackagingError as error:
        raise RehearsalError(str(error)) from error
    _write(module / "package_override.tf.json", _from_bucket(module / "chalice.tf.json"))


def _from_bucket(definition: Path) -> dict[str, Any]:
    """Have every function take its package from the bucket of the overrides."""
    functions = json.loads(definition.read_text("utf-8"))["resource"]["aws_lambda_function"]
    place = {
        "filename": "${null}",
        "s3_bucket": "${aws_s3_object.package.bucket}",
        "s3_key": "${aws_s3_object.package.key}",
    }
    return {"resource": {"aws_lambda_function": dict.fromkeys(functions, place)}}


def _provider(stage: Stage) -> dict[str, Any]:
    endpoints = dict.fromkeys(_BY_MINISTACK, stage.aws_url) | dict.fromkeys(
        _BY_MOTO, stage.moto_url
    )
    return {
        "provider": {
            "aws": {
                "access_key": ACCOUNT,
                "secret_key": stage.credentials["AWS_SECRET_ACCESS_KEY"],
                "custom_ca_bundle": str(stage.certificates.authority),
                "skip_metadata_api_check": True,
                "s3_use_path_style": True,
                "endpoints": [endpoints],
            }
        }
    }


def _variables(stage: Stage) -> dict[str, Any]:
    return {
        "emulated": True,
        # Whatever is rehearsed is taken away again.
        "deletion_protection": False,
        "rehearsal_database": {
            "port": stage.database_port,
            "password": stage.database_password,
        },
        "rehearsal_cache_port": stage.cache_port,
    }


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
