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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, prefix="test", function_timeout_seconds=7)


def attributes(clients: Clients, name: str) -> dict[str, str]:
    url = clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {str(key): value for key, value in answer["Attributes"].items()}


def secret(clients: Clients, name: str) -> Any:
    return json.loads(clients.secrets.get_secret_value(SecretId=name)["SecretString"])


def test_requests_are_hidden_and_kept_apart_as_in_the_cloud(
    clients: Clients, settings: Settings
) -> None:
    provision_queues(clients, settings)
    made = {function: attributes(clients, f"test-{function}") for function in service().queues}
    # Six timeouts of a function.
    assert {queue["VisibilityTimeout"] for queue in made.values()} == {"42"}
    # A login is a password: it waits for two minutes, and is never put aside.
    login = made.pop("auth")
    assert (login["MessageRetentionPeriod"], "RedrivePolicy" in login) == ("120", False)
    for function, queue in made.items():
        target = attributes(clients, f"test-{function}-dlq")["QueueArn"]
        policy = {"deadLetterTargetArn": target, "maxReceiveCount": 3}
        assert json.loads(queue["RedrivePolicy"]) == policy


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


def test_each_role_logs_in_with_its_own_password_where_the_server_is_now(
    clients: Clients, settings: Settings
) -> None:
    for port in (5432, 5433):
        provision_secrets(
            clients,
            settings,
            database_url=f"postgresql://owner:p%40ss@127.0.0.1:{port}/billing",
            redis_url="redis://:secret@127.0.0.1:6379/0",
            role_passwords={"writer": "w", "reader": "r", "operator": "o"},
        )
    names = ("migrator", "writer", "reader", "operator")
    logins = {name: secret(clients, f"test/database/{name}") for name in names}
    assert {name: (s["username"], s["password"], s["port"]) for name, s in logins.items()} == {
        "migrator": ("owner", "p@ss", 5433),
        "writer": ("billing_writer", "w", 5433),
        "reader": ("billing_reader", "r", 5433),
        "operator": ("billing_operator", "o", 5433),
    }
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
