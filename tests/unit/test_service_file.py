"""terraform/service.json gives each function the time that its calls may take."""

from __future__ import annotations

import pytest

from billing_app.adapters.connections import CONNECT_TIMEOUT_SECONDS, VANISHED_MILLISECONDS
from billing_app.adapters.timeouts import timeouts_of
from chalicelib.batch import RESERVE_SECONDS
from chalicelib.bootstrap import ATTEMPT_SECONDS
from chalicelib.operations import OPERATIONS
from tools.local.service import service


def statement_seconds(role: str) -> float:
    """How long a statement may take at most."""
    return (timeouts_of(f"billing_{role}").statement + VANISHED_MILLISECONDS) / 1000


@pytest.mark.parametrize("function", list(service().queues))
def test_each_message_of_a_batch_has_time_for_the_slowest_call(function: str) -> None:
    deployed = service().functions[function]
    assert max(ATTEMPT_SECONDS, statement_seconds("writer")) <= deployed.record_seconds
    needed = deployed.batch_size * deployed.record_seconds + RESERVE_SECONDS
    assert needed <= deployed.timeout_seconds


@pytest.mark.parametrize(
    "function", [name for name, one in service().functions.items() if one.database_role != "writer"]
)
def test_a_function_has_time_to_connect_and_for_a_statement(function: str) -> None:
    deployed = service().functions[function]
    needed = 2 * ATTEMPT_SECONDS + CONNECT_TIMEOUT_SECONDS + RESERVE_SECONDS
    assert needed + statement_seconds(deployed.database_role) <= deployed.timeout_seconds


def test_the_operations_and_their_dead_letters_are_those_of_the_queues() -> None:
    declared = {name: one.dead_letters for name, one in OPERATIONS.items()}
    assert declared == {name: queue.dead_letters for name, queue in service().queues.items()}
