"""Each function gets the environment that it would get in the cloud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import app
from chalicelib.operations import OPERATIONS
from tools.local.cloud import Cloud, environment, environment_of, read_cloud, write_cloud
from tools.local.errors import LocalStackError

CLOUD = Cloud(
    api="http://127.0.0.1:8000",
    prefix="test",
    region="eu-central-1",
    aws_endpoint_url="http://127.0.0.1:1",
    aws_is_embedded=True,
    database_url="postgresql://owner@127.0.0.1:2/billing",
    redis_url="redis://127.0.0.1:3",
    user_pool_id="pool",
    user_pool_client_id="client",
    workers=[],
    logs="/logs",
)
FUNCTIONS = sorted({*app.app.handler_map})


def test_a_function_logs_in_with_no_more_than_its_role() -> None:
    secrets = {name: environment_of(CLOUD, name)["DATABASE_SECRET_ID"] for name in FUNCTIONS}
    assert {name: secret.removeprefix("test/database/") for name, secret in secrets.items()} == {
        **dict.fromkeys(OPERATIONS, "reader"),
        **dict.fromkeys(("auth", "payments", "sweep"), "writer"),
        **dict.fromkeys(("admin", "admin_users", "import_bills", "reconcile"), "operator"),
        "migrate": "migrator",
    }


def test_no_password_is_in_an_environment() -> None:
    cloud = replace(CLOUD, database_url="postgresql://owner:hush@127.0.0.1:2/billing")
    values = [value for f in FUNCTIONS for value in environment_of(cloud, f).values()]
    assert not [value for value in values if "hush" in value]


def test_real_aws_services_get_the_developers_own_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    real = replace(CLOUD, aws_is_embedded=False)
    assert "AWS_ACCESS_KEY_ID" not in environment_of(real, "utils")


def test_what_was_written_is_read_by_the_owner_alone(tmp_path: Path) -> None:
    write_cloud(tmp_path, CLOUD)
    assert read_cloud(tmp_path) == CLOUD
    assert environment("utils", tmp_path) == environment_of(CLOUD, "utils")
    assert (tmp_path / "cloud.json").stat().st_mode & 0o777 == 0o600


def test_before_the_first_start_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="make up"):
        read_cloud(tmp_path)
