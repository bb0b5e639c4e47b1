"""Requests in the order that the document's links give: ask, poll, take away, by schemathesis."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode, Response

from tests.hostile.contract import (
    checks_to_leave_out,
    load,
    needs_token,
    operations,
    published_document,
)
from tests.support.api import ANSWER_SECONDS, Environment, Resident

SCHEMA = load(published_document(), max_examples=10, modes=[GenerationMode.POSITIVE])
TAGS = [tag["name"] for tag in published_document()["tags"]]
SETTINGS = hypothesis.settings(
    max_examples=15,
    stateful_step_count=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# What each operation must have been answered with at least once, or the journeys went nowhere.
REACHED = {"POST": 202, "GET": 200, "DELETE": 204}


class Journeys:
    """What a state machine of schemathesis does here: asks as a resident and waits for replies."""

    env: Environment
    resident: Resident
    seen: Counter[tuple[str, int]]

    def setup(self) -> None:
        """Begin with nothing asked."""
        self.unanswered: dict[str, str] = {}

    def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
        """Say where the API is and who asks."""
        headers = self.resident.caller.headers if needs_token(case) else {}
        return {"base_url": self.env.stack.base_url, "headers": headers, "timeout": 30}

    def before_call(self, case: Case[Any]) -> None:
        """Ask about the resident's own apartment, and wait only for what will come."""
        if case.method == "GET":
            case.query = {"wait_seconds": "1" if self._is_awaited(case) else "0"}
        if "apartment_id" in case.path_parameters:
            case.path_parameters["apartment_id"] = str(self.resident.home.apartment)

    def call(self, case: Case[Any], **kwargs: Any) -> Response:
        """Ask; poll again while a reply has still to come."""
        response = case.call(**kwargs)
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._is_awaited(case) and not response.json()["replies"]:
            assert time.monotonic() < deadline, f"no answer to one of {self.unanswered}"
            # A queue that does not exist yet answers at once.
            time.sleep(0.05)
            response = case.call(**kwargs)
        return response

    def _is_awaited(self, case: Case[Any]) -> bool:
        name = case.path_parameters.get("queue_name")
        return case.method == "GET" and name in self.unanswered.values()

    def note(self, response: Response, case: Case[Any]) -> None:
        """Remember what was accepted and what was answered."""
        self.seen[case.operation.label, response.status_code] += 1
        if response.status_code == 202:
            accepted = response.json()
            self.unanswered[accepted["request_id"]] = accepted["queue_name"]
        elif response.status_code == 200:
            for reply in response.json()["replies"]:
                self.unanswered.pop(reply["request_id"], None)

    def validate_response(self, response: Response, case: Case[Any], **kwargs: Any) -> None:
        """Hold the answer against the document."""
        self.note(response, case)
        case.validate_response(
            response, excluded_checks=checks_to_leave_out(case), transport_kwargs=kwargs
        )


@pytest.mark.parametrize("tag", TAGS)
def test_every_request_is_answered_as_documented_and_its_reply_can_be_taken(
    stage: Environment, tag: str
) -> None:
    schema = SCHEMA.include(tag=tag)
    seen: Counter[tuple[str, int]] = Counter()
    own = {"env": stage, "resident": stage.resident(), "seen": seen}
    machine: Any = type("Machine", (Journeys, schema.as_state_machine()), own)
    machine.run(settings=SETTINGS)
    reached = {(one.label, REACHED[one.method.upper()]) for one in operations(schema)}
    assert reached - set(seen) == set(), sorted(seen.items())
