"""Each fault at each step of a login ends as promised, and with no password left anywhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.matrix.bench import PREFIX, Bench
from tests.matrix.promises import LOGINS, Promise, cases
from tests.matrix.story import Order
from tests.matrix.telling import Scene, scene
from tests.matrix.truths import RESIDENT

PASSWORD = "Canary-Passw0rd-1"


def login(bench: Bench, told: Scene) -> Order:
    """Make a user with a resident, and write their login."""
    username, cognito = f"user-{uuid4().hex[:12]}", bench.clients.cognito
    pool: Any = {"UserPoolId": bench.cloud.user_pool_id, "Username": username}
    user = cognito.admin_create_user(**pool, TemporaryPassword=PASSWORD)["User"]
    cognito.admin_set_user_password(**pool, Password=PASSWORD, Permanent=True)
    subject = next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub")
    told.story.ledger.ask("operator", "add_resident", UUID(subject), RESIDENT)
    told.secrets = (PASSWORD, username)
    return Order("auth", {"username": username, "password": PASSWORD})


@pytest.mark.parametrize(("fault", "step", "promise"), cases(LOGINS))
def test_a_login_ends_as_promised(bench: Bench, fault: str, step: str, promise: Promise) -> None:
    with scene(bench, "auth", fault) as told:
        order = login(bench, told)
        told.keeps(promise, order, step=step)
        assert told.story.count(f"{PREFIX}-auth") == 0
