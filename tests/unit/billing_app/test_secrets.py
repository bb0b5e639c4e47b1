"""Secrets are fetched once, and again on demand."""

from __future__ import annotations

import json

import boto3
import pytest

from billing_app.adapters.secrets import Secrets
from billing_app.domain.errors import Unavailable

NAME = "bill-test/database/writer"


class Store:
    """Secrets Manager with one secret in it."""

    def __init__(self) -> None:
        self.client = boto3.client("secretsmanager")
        self.client.create_secret(Name=NAME, SecretString=json.dumps({"password": "old"}))
        self.secrets = Secrets(self.client)

    def rotate(self, text: str) -> None:
        self.client.put_secret_value(SecretId=NAME, SecretString=text)


@pytest.fixture
def store(aws: None) -> Store:
    return Store()


def test_a_secret_is_fetched_once_for_a_warm_process(store: Store) -> None:
    assert store.secrets.get(NAME) == {"password": "old"}
    store.rotate(json.dumps({"password": "new"}))
    assert store.secrets.get(NAME) == {"password": "old"}


def test_a_forgotten_secret_is_fetched_again(store: Store) -> None:
    store.rotate(json.dumps({"password": "b"}))
    store.secrets.forget(NAME)
    assert store.secrets.get(NAME) == {"password": "b"}
    store.rotate(json.dumps({"password": "c"}))
    store.secrets.forget_all()
    assert store.secrets.get(NAME) == {"password": "c"}


@pytest.mark.parametrize("text", ["hush-no-json", '["hush"]'])
def test_a_secret_that_is_no_json_object_is_an_outage_that_does_not_quote_it(
    store: Store, text: str
) -> None:
    store.rotate(text)
    with pytest.raises(Unavailable) as outage:
        store.secrets.get(NAME)
    assert "hush" not in str(outage.value)
    assert outage.value.__cause__ is None


def test_a_secret_that_is_missing_is_an_outage(store: Store) -> None:
    with pytest.raises(Unavailable, match="secret can't be read"):
        store.secrets.get("bill-test/none")
