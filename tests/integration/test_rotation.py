"""What the migration is told by its environment: passwords, and what a day is."""

from __future__ import annotations

import json

import boto3
import psycopg2
import pytest

from billing_app.bootstrap import utc_now
from chalicelib import functions
from chalicelib.bootstrap import Bootstrap
from chalicelib.settings import Settings
from tests.support.databases import ROLE_PASSWORD, LedgerDatabase

ENVIRONMENT = {
    "BILLING_PREFIX": "bill-test",
    "DATABASE_SECRET_ID": "owner",
    "READER_SECRET_ID": "reader",
    "BILLING_TIME_ZONE": "Pacific/Auckland",
}


@pytest.fixture
def adapters(database: LedgerDatabase, aws: None) -> Bootstrap:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="owner", SecretString=json.dumps(database.secret("owner")))
    client.create_secret(Name="reader", SecretString=json.dumps({"password": ROLE_PASSWORD}))
    return Bootstrap(Settings.from_environment(ENVIRONMENT))


def test_the_time_zone_of_the_environment_is_the_ledgers(adapters: Bootstrap) -> None:
    assert adapters.ledger.day_of(utc_now()).time_zone == "UTC"
    functions.migrate(adapters)
    assert adapters.ledger.day_of(utc_now()).time_zone == "Pacific/Auckland"


def test_a_password_that_was_rotated_while_warm_is_the_one_that_is_set(
    adapters: Bootstrap, database: LedgerDatabase
) -> None:
    functions.migrate(adapters)
    boto3.client("secretsmanager").put_secret_value(
        SecretId="reader", SecretString=json.dumps({"password": "rotated"})
    )
    try:
        functions.migrate(adapters)
        with pytest.raises(psycopg2.OperationalError):
            database.connect("reader")
    finally:
        boto3.client("secretsmanager").put_secret_value(
            SecretId="reader", SecretString=json.dumps({"password": ROLE_PASSWORD})
        )
        functions.migrate(adapters)
    database.connect("reader")
