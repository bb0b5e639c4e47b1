"""terraform/service.json allows each message the time that its code may take at the worst."""

from __future__ import annotations

from typing import Any

import pytest

from billing_app.adapters import connections
from billing_app.adapters.timeouts import timeouts_of
from chalicelib import bootstrap
from chalicelib.operations import OPERATIONS
from tools.local.service import service

# One dependency that hangs; the others answer in this time.
_REST_SECONDS = 1.0


def aws_seconds() -> float:
    """How long a service of AWS that hangs is waited for."""
    config: Any = bootstrap.AWS
    return float(config.retries["total_max_attempts"] * config.read_timeout)


def database_seconds() -> float:
    """How long a server is waited for that vanishes under a statement and does not come back."""
    vanished = timeouts_of("billing_writer").statement / 1000 + 2
    return vanished + (connections._ATTEMPTS - 1) * connections.CONNECT_TIMEOUT_SECONDS


@pytest.mark.parametrize("function", sorted({*service().queues} - {"auth"}))
def test_a_message_outlives_a_database_that_vanished(function: str) -> None:
    assert database_seconds() + _REST_SECONDS <= service().functions[function].record_seconds


@pytest.mark.parametrize("function", list(service().queues))
def test_a_message_outlives_a_service_of_aws_that_hangs(function: str) -> None:
    assert aws_seconds() + _REST_SECONDS <= service().functions[function].record_seconds


@pytest.mark.parametrize("function", list(service().queues))
def test_a_batch_of_the_slowest_messages_fits_into_the_timeout(function: str) -> None:
    deployed = service().functions[function]
    assert deployed.batch_size * deployed.record_seconds <= deployed.timeout_seconds


def test_the_operations_and_their_dead_letters_are_those_of_the_queues() -> None:
    declared = {name: one.dead_letters for name, one in OPERATIONS.items()}
    assert declared == {name: queue.dead_letters for name, queue in service().queues.items()}
