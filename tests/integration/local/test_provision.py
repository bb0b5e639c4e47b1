"""Provisioning makes what Terraform makes in the cloud, and repeating it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.local.clients import Clients
from tools.local.provision import (
    cache_secret,
    database_secret,
    provision_identity,
    provision_queues,
    provision_secrets,
)
from tools.local.service import service
from tools.local.settings import Settings

PASSWORDS = {"writer": "w", "reader": "r", "operator": "o"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, prefix="test", function_timeout_seconds=7)


def attributes(clients: Clients, name: str) -> dict[str, str]:
    url = clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {str(key): value for key, value in answer["Attributes"].items()}


def secret(clients: Clients, name: str) -> Any:
    return json.loads(clients.secrets.get_secret_value(SecretId=name)["SecretString"])


def store_secrets(clients: Clients, settings: Settings, *, port: int = 5432) -> None:
    provision_secrets(
        clients,
        settings,
        database_url=f"postgresql://owner:p%40ss@127.0.0.1:{port}/billing",
        redis_url="redis://:secret@127.0.0.1:6379/0",
        role_passwords=PASSWORDS,
    )


def test_a_request_is_hidden_for_six_function_timeouts(
    clients: Clients, settings: Settings
) -> None:
    provision_queues(clients, settings)
    timeouts = {attributes(clients, f"test-{f}")["VisibilityTimeout"] for f in service().queues}
    assert timeouts == {"42"}


@pytest.mark.parametrize("function", sorted({*service().queues} - {"auth"}))
def test_a_request_that_fails_thrice_goes_to_its_dead_letter_queue(
    clients: Clients, settings: Settings, function: str
) -> None:
    provision_queues(clients, settings)
    policy = json.loads(attributes(clients, f"test-{function}")["RedrivePolicy"])
    target = attributes(clients, f"test-{function}-dlq")["QueueArn"]
    assert policy == {"deadLetterTargetArn": target, "maxReceiveCount": 3}


def test_a_password_waits_for_two_minutes_and_has_no_dead_letter_queue(
    clients: Clients, settings: Settings
) -> None:
    provision_queues(clients, settings)
    login = attributes(clients, "test-auth")
    assert (login["MessageRetentionPeriod"], "RedrivePolicy" in login) == ("120", False)


def test_provisioning_again_keeps_what_waits_and_takes_new_settings(
    clients: Clients, settings: Settings
) -> None:
    provision_queues(clients, settings)
    url = clients.sqs.get_queue_url(QueueName="test-payments")["QueueUrl"]
    clients.sqs.send_message(QueueUrl=url, MessageBody="{}")
    slower = Settings(state=settings.state, prefix="test", function_timeout_seconds=10)
    provision_queues(clients, slower)
    now = attributes(clients, "test-payments")
    assert (now["ApproximateNumberOfMessages"], now["VisibilityTimeout"]) == ("1", "60")


def test_a_pool_of_an_earlier_start_takes_the_current_rules(
    clients: Clients, settings: Settings
) -> None:
    identity, cognito = provision_identity(clients, settings), clients.cognito
    pool: Any = {"UserPoolId": identity.user_pool_id}
    client = pool | {"ClientId": identity.user_pool_client_id}
    cognito.update_user_pool(**pool, Policies={"PasswordPolicy": {"MinimumLength": 6}})
    cognito.update_user_pool_client(**client, IdTokenValidity=1440, AccessTokenValidity=1440)
    assert provision_identity(clients, settings) == identity
    rules = cognito.describe_user_pool_client(**client)["UserPoolClient"]
    minutes = service().logins.token_minutes
    assert (rules["IdTokenValidity"], rules["AccessTokenValidity"]) == (minutes, minutes)
    policy: Any = cognito.describe_user_pool(**pool)["UserPool"]["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == service().logins.password_minimum_length
    kinds = ("Lowercase", "Uppercase", "Numbers", "Symbols")
    assert [policy[f"Require{kind}"] for kind in kinds] == [True] * 4


def test_each_role_logs_in_with_its_own_password(clients: Clients, settings: Settings) -> None:
    store_secrets(clients, settings)
    names = ("migrator", "writer", "reader", "operator")
    logins = {name: secret(clients, f"test/database/{name}") for name in names}
    assert {name: (s["username"], s["password"]) for name, s in logins.items()} == {
        "migrator": ("owner", "p@ss"),
        "writer": ("billing_writer", "w"),
        "reader": ("billing_reader", "r"),
        "operator": ("billing_operator", "o"),
    }


def test_a_secret_follows_the_server(clients: Clients, settings: Settings) -> None:
    store_secrets(clients, settings, port=5432)
    store_secrets(clients, settings, port=5433)
    assert secret(clients, "test/database/writer")["port"] == 5433
    assert secret(clients, "test/cache")["password"] == "secret"


def test_a_database_url_may_leave_out_what_is_usual() -> None:
    assert database_secret("postgresql://u@db.example?sslmode=require") == {
        "username": "u",
        "password": "",
        "host": "db.example",
        "port": 5432,
        "dbname": "billing",
        "sslmode": "require",
    }


def test_a_redis_url_says_whether_to_use_tls() -> None:
    assert cache_secret("rediss://user:p%2F@cache.example:7000") == {
        "host": "cache.example",
        "port": 7000,
        "username": "user",
        "password": "p/",
        "tls": True,
    }
