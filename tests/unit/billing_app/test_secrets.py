"""Secrets are fetched once, and again on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from billing_app.adapters.secrets import Secrets
from billing_app.domain.errors import Unavailable

NAME = "bill-test/database/writer"


class Store:
    """Secrets Manager with one secret in it."""

    def __init__(self) -> None:
        self.client = boto3.client("secretsmanager", region_name="eu-central-1")
        self.client.create_secret(Name=NAME, SecretString=json.dumps({"password": "old"}))
        self.secrets = Secrets(self.client)

    def rotate(self, text: str) -> None:
        self.client.put_secret_value(SecretId=NAME, SecretString=text)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Store()


def test_a_secret_is_fetched_once_for_a_warm_process(store: Store) -> None:
    assert store.secrets.get(NAME) == {"password": "old"}
    store.rotate(json.dumps({"password": "new"}))
    assert store.secrets.get(NAME) == {"password": "old"}


@pytest.mark.parametrize("forget", ["one", "all"])
def test_a_forgotten_secret_is_fetched_again(store: Store, forget: str) -> None:
    store.secrets.get(NAME)
    store.rotate(json.dumps({"password": "new"}))
    if forget == "one":
        store.secrets.forget(NAME)
    else:
        store.secrets.forget_all()
    assert store.secrets.get(NAME) == {"password": "new"}


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
