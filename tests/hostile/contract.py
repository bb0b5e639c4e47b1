"""The contract document as schemathesis reads it, with one seed and bounded examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import schemathesis
from schemathesis import APIOperation, Case, CheckFunction, HookContext
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    SimpleCheckConfig,
    StatefulPhaseConfig,
)
from schemathesis.config._phases import InferenceConfig
from schemathesis.core.result import Err
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tools.local.gateway.document import parse, render
from tools.local.gateway.health_and_docs import public_document

SEED = 20261122
DOCUMENT = render(
    prefix="bill-doc",
    region="eu-central-1",
    account_id="123456789012",
    user_pool_id="eu-central-1_x",
    user_pool_client_id="client",
)
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# What SQS takes in an attribute. The rest is rejected with 400, which a schema of a path can't say
# without rejecting apartments that read like unknown ones; test_hostile_requests.py has these.
NOT_FOR_SQS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def whole_document() -> dict[str, Any]:
    """Return what is deployed: the preflights too, and no links."""
    return parse(DOCUMENT)


def published_document() -> dict[str, Any]:
    """Return what clients read: no preflights, and the links from answer to request."""
    return public_document(DOCUMENT)


def load(
    document: dict[str, Any],
    *,
    max_examples: int,
    modes: list[GenerationMode] | None = None,
) -> BaseSchema:
    """Read a document; the same seed always gives the same examples."""
    project = ProjectConfig(
        generation=GenerationConfig(
            deterministic=True,
            max_examples=max_examples,
            modes=modes,
            # The tests bring tokens of their own; the check ignored_auth takes them away again.
            with_security_parameters=False,
        ),
        checks=_checks(),
        # The document's own links say what belongs together; guessed ones would only dilute them.
        phases=PhasesConfig(stateful=StatefulPhaseConfig(inference=InferenceConfig(algorithms=[]))),
    )
    config = SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.hook("filter_path_parameters")(_sqs_takes)
    return schema


def _checks() -> ChecksConfig:
    """Turn all checks on but those that say something else than this API promises."""
    off = SimpleCheckConfig(enabled=False)
    return ChecksConfig(
        # API Gateway knows no 405: a method that a path lacks is an unknown route, 404.
        unsupported_method=off,
        # DELETE takes one reply away; the queue that it was in may be polled again.
        use_after_free=off,
    )


def operations(schema: BaseSchema) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """List the operations; an invalid one raises."""
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        yield result.ok()


def checks_to_leave_out(case: Case[Any]) -> list[CheckFunction]:
    """Name the checks that don't fit the operation: a made-up receipt is rejected rightly."""
    return [positive_data_acceptance] if case.method == "DELETE" else []


def needs_token(case: Case[Any]) -> bool:
    """Tell whether the operation is one of signed-in residents."""
    return bool(case.operation.definition.raw.get("security"))


def poll_without_waiting(case: Case[Any]) -> None:
    """Don't wait where a queue may exist and be empty; other names are left as they were made."""
    if case.method == "GET" and UUID.fullmatch(str(case.path_parameters.get("queue_name", ""))):
        case.query = {**case.query, "wait_seconds": "0"}


def _sqs_takes(context: HookContext, path_parameters: dict[str, Any] | None) -> bool:
    values = (unquote(str(value)) for value in (path_parameters or {}).values())
    return not any(NOT_FOR_SQS.search(value) for value in values)
