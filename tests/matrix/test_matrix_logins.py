"""Each fault at each step of a login ends as expected, and with no password left anywhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.matrix.expectations import LOGINS, Expected, cases
from tests.matrix.fixture import Fixture, fixture
from tests.matrix.harness import PREFIX, Harness
from tests.matrix.scenario import Request

PASSWORD = "Canary-Passw0rd-1"


def login(harness: Harness, given: Fixture) -> Request:
    """Make a user with a resident, and return their login."""
    username, cognito = f"user-{uuid4().hex[:12]}", harness.clients.cognito
    pool: Any = {"UserPoolId": harness.cloud.user_pool_id, "Username": username}
    user = cognito.admin_create_user(**pool, TemporaryPassword=PASSWORD)["User"]
    cognito.admin_set_user_password(**pool, Password=PASSWORD, Permanent=True)
    subject = UUID(next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub"))
    given.scenario.ledger.ask("operator", "add_resident", subject, given.name)
    given.passwords = (PASSWORD, username)
    return Request("auth", {"username": username, "password": PASSWORD}, subject)


@pytest.mark.parametrize(("fault", "step", "expected"), cases(LOGINS))
def test_a_login_ends_as_expected(
    harness: Harness, fault: str, step: str, expected: Expected
) -> None:
    with fixture(harness, "auth", fault) as given:
        given.ends_as(expected, login(harness, given), step=step)
        assert given.scenario.count(f"{PREFIX}-auth") == 0
