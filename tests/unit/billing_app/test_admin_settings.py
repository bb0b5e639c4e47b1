"""Where `billing-admin` works is told by the environment or by the running local service."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from billing_app.commands.settings import Target, read_settings

ENVIRONMENT = {"BILLING_PREFIX": "bill-test", "USER_POOL_ID": "eu_1"}
CLOUD = {
    "prefix": "bill-local",
    "region": "eu-central-1",
    "aws_endpoint_url": "http://127.0.0.1:5000",
    "aws_is_embedded": True,
    "user_pool_id": "eu_2",
    "more": "is ignored",
}


def test_the_secret_has_a_name_by_default() -> None:
    settings = read_settings(Target(environment=ENVIRONMENT))
    assert settings.database_secret_id == "bill-test/database/operator"
    assert settings.secret_of("migrator") == "bill-test/database/migrator"
    other = {**ENVIRONMENT, "DATABASE_SECRET_ID": "mine"}
    assert read_settings(Target(environment=other)).database_secret_id == "mine"


@pytest.mark.parametrize("name", list(ENVIRONMENT))
def test_a_missing_variable_is_named(name: str) -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(click.UsageError, match=name):
        read_settings(Target(environment=environment))


def test_a_prefix_that_is_too_long_is_told() -> None:
    with pytest.raises(click.UsageError, match="at most 12"):
        read_settings(Target(environment={**ENVIRONMENT, "BILLING_PREFIX": "x" * 13}))


def test_the_local_service_is_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps(CLOUD))
    own = {"BILLING_STATE": str(tmp_path), "AWS_ACCESS_KEY_ID": "mine"}
    settings = read_settings(Target(environment=own, local=True))
    assert (settings.prefix, settings.user_pool_id) == ("bill-local", "eu_2")
    assert settings.endpoint_url == "http://127.0.0.1:5000"
    assert settings.access_key_id == "local"


def test_a_real_endpoint_gets_the_operators_own_credentials(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps({**CLOUD, "aws_is_embedded": False}))
    own = {"BILLING_STATE": str(tmp_path), "AWS_ACCESS_KEY_ID": "mine"}
    assert read_settings(Target(environment=own, local=True)).access_key_id == "mine"


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_without_a_running_service_it_says_what_to_do(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "cloud.json").write_text(content)
    target = Target(environment={"BILLING_STATE": str(tmp_path)}, local=True)
    with pytest.raises(click.UsageError, match="make up"):
        read_settings(target)
