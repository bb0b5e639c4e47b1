"""The environment is validated once, with errors that name the variable."""

from __future__ import annotations

import pytest

from chalicelib.settings import Settings, SettingsError

GOOD = {"BILLING_PREFIX": "bill-test", "DATABASE_SECRET_ID": "bill-test/database/writer"}


def test_a_good_environment_gives_settings_with_defaults() -> None:
    settings = Settings.from_environment(GOOD)
    found = (settings.prefix, settings.max_receive_count, settings.log_level)
    assert found == ("bill-test", 3, "INFO")
    assert settings.role_secret_ids == settings.database_place == {}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"BILLING_PREFIX": ""}, "BILLING_PREFIX is not set"),
        ({"BILLING_PREFIX": "Bill"}, "BILLING_PREFIX must be"),
        ({"BILLING_PREFIX": "x" * 13}, "BILLING_PREFIX must be"),
        ({"DATABASE_SECRET_ID": ""}, "DATABASE_SECRET_ID is not set"),
        ({"MAX_RECEIVE_COUNT": "0"}, "MAX_RECEIVE_COUNT must be"),
        ({"MAX_RECEIVE_COUNT": "³"}, "MAX_RECEIVE_COUNT must be"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be"),
    ],
)
def test_a_wrong_variable_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_environment({**GOOD, **change})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"LOG_LEVEL": "LOUD"})
    assert str(error.value).count(";") == 2


def test_a_setting_that_only_some_functions_have_is_named_when_it_lacks() -> None:
    settings = Settings.from_environment(GOOD)
    with pytest.raises(SettingsError, match="CACHE_SECRET_ID is not set"):
        settings.require("CACHE_SECRET_ID", settings.cache_secret_id)


def test_the_secrets_of_the_roles_are_for_the_migration_alone() -> None:
    settings = Settings.from_environment({**GOOD, "WRITER_SECRET_ID": "w", "READER_SECRET_ID": "r"})
    assert settings.role_secret_ids == {"billing_writer": "w", "billing_reader": "r"}


def test_the_place_of_the_database_may_stand_beside_its_secret() -> None:
    settings = Settings.from_environment({**GOOD, "DATABASE_HOST": "db", "DATABASE_PORT": "5432"})
    assert settings.database_place == {"host": "db", "port": "5432"}
