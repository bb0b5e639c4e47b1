"""The generated parts of pages: `python -m tools.reference [costs]` writes them anew.

Each stands between `<!-- reference: NAME -->` and `<!-- /reference -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from billing_client.errors import CLIENT_CODES, COMMAND_CODES
from marshmallow import Schema

from billing_app.admin.operations import OPERATIONS
from billing_app.domain.bill_lines import EXAMPLE_FILE
from billing_app.domain.errors import CATALOGUE
from tools import api_reference, costs
from tools.markdown import replaced, table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COSTS = DOCS / "cost.md"
CONTRACT = ROOT / "terraform" / "modules" / "api" / "openapi.yaml"

# What the gateway's own errors mean for a caller; the contract has their messages.
_GATEWAY = {
    "bad_request": ("4xx", "Compare the request with the contract."),
    "body_too_large": ("413", "Send a smaller body, for example fewer bills in one payment."),
    "forbidden": (
        "403",
        "A rule in front of the service rejected you. Slow down, or ask the operator.",
    ),
    "internal_error": (
        "500",
        "Ask again. If it persists, contact the operator with the `request_id`.",
    ),
    "invalid_body": (
        "400",
        "Compare the body with the contract: a field is missing, unknown or malformed.",
    ),
    "invalid_parameter": ("400", "Compare the parameters with the contract."),
    "invalid_receipt": (
        "400",
        "Use the `receipt` of the reply as it was last read from this queue.",
    ),
    "route_not_found": ("404", "Compare method and path with the contract."),
    "token_expired": ("401", "Renew it with the refresh token (POST `/auth`)."),
    "too_many_requests": ("429", "Wait as many seconds as `Retry-After` says."),
    "unauthorized": ("401", "Log in, and send the id token in `Authorization`."),
    "unsupported_media_type": (
        "415",
        "Send POST as `application/json`, GET and DELETE without a `Content-Type`.",
    ),
    "upstream_error": ("502", "Ask again in a moment."),
    "upstream_timeout": ("504", "Ask again in a moment."),
}


def _gateway_messages() -> dict[str, str]:
    """Return the message of each code of the gateway.

    Several templates may have one code. What API Gateway answers by itself, such as to a body that
    doesn't fit its schema, is the common cause and comes last in the contract.
    """
    text = CONTRACT.read_text(encoding="utf-8")
    return dict(re.findall(r'"code":"(\w+)","message":"([^"]+)"', text))


def _gateway_errors() -> str:
    rows = []
    for code, message in sorted(_gateway_messages().items()):
        http, advice = _GATEWAY[code]
        rows.append((f"`{code}`", http, message, advice))
    return table(("Code", "HTTP", "What happened", "What to do"), rows)


def _reply_errors() -> str:
    rows = (
        (f"`{code}`", kind.status, *kind.resident)
        for code, kind in CATALOGUE.items()
        if kind.resident
    )
    return table(("Code", "Status", "What happened", "What to do"), rows)


def _codes(messages: Mapping[str, str]) -> str:
    rows = ((f"`{code}`", message) for code, message in messages.items())
    return table(("Code", "What happened"), rows)


def _operations() -> str:
    rows = (
        (f"`{one.function}`", f"`{one.name}`", _arguments(one.schema))
        for one in OPERATIONS.values()
    )
    return table(("Function", "Operation", "Arguments"), rows)


def _arguments(schema: Schema) -> str:
    by_need: dict[bool, list[str]] = {True: [], False: []}
    for name, field in schema.fields.items():
        by_need[field.required].append(f"`{field.data_key or name}`")
    required, optional = (", ".join(names) for names in by_need.values())
    return "; ".join(filter(None, (required, optional and f"optional: {optional}")))


def _line_errors() -> str:
    rows = ((f"`{code}`", kind.line) for code, kind in CATALOGUE.items() if kind.line)
    return table(("Code", "What is wrong"), rows)


def _operator_errors() -> str:
    rows = ((f"`{code}`", *kind.operator) for code, kind in CATALOGUE.items() if kind.operator)
    return table(("Code", "What happened", "What to do"), rows)


PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    DOCS / "errors.md": {
        "gateway": _gateway_errors,
        "replies": _reply_errors,
        "client": lambda: _codes(CLIENT_CODES),
        "command": lambda: _codes(COMMAND_CODES),
    },
    DOCS / "operators.md": {
        "file": lambda: f"```csv\n{EXAMPLE_FILE}```",
        "lines": _line_errors,
        "operations": _operations,
        "errors": _operator_errors,
    },
    DOCS / "api.md": {
        "routes": api_reference.routes,
        "requests": api_reference.requests,
        "replies": api_reference.replies,
        "errors": api_reference.errors,
    },
    COSTS: {"costs": lambda: costs.table("eu-central-1")},
}


def written(page: Path) -> str:
    """Return the page with its parts as the code has them now."""
    text = page.read_text(encoding="utf-8")
    for name, part in PAGES[page].items():
        text = replaced(text, name, part())
    return text


if __name__ == "__main__":
    # Each new route and alarm moves the costs a little, so they are written when asked for.
    asked = [COSTS] if sys.argv[1:] == ["costs"] else [one for one in PAGES if one != COSTS]
    for each in asked:
        each.write_text(written(each), encoding="utf-8")
