"""The tables and the example file in docs/: `python -m tools.reference` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from billing_client.errors import CLIENT_CODES, COMMAND_CODES
from marshmallow import Schema

from billing_app.admin.operations import OPERATIONS
from billing_app.domain.bill_lines import EXAMPLE_FILE
from billing_app.domain.errors import CATALOGUE

ROOT = Path(__file__).parents[1]
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
    "unsupported_media_type": ("415", "Send `Content-Type: application/json`."),
    "upstream_error": ("502", "Ask again in a moment."),
    "upstream_timeout": ("504", "Ask again in a moment."),
}


def gateway_codes() -> Iterable[str]:
    """Return the codes that the page explains."""
    return _GATEWAY


def gateway_messages() -> dict[str, str]:
    """Return the message of each code of the gateway.

    Several templates may have one code. What API Gateway answers by itself, such as to a body that
    doesn't fit its schema, is the common cause and comes last in the contract.
    """
    text = CONTRACT.read_text(encoding="utf-8")
    return dict(re.findall(r'"code":"(\w+)","message":"([^"]+)"', text))


def errors_page(text: str) -> str:
    """Return the text of docs/errors.md with its tables as the code has them now."""
    messages = gateway_messages()
    gateway = (
        (f"`{code}`", http, messages[code], advice) for code, (http, advice) in _GATEWAY.items()
    )
    replies = (
        (f"`{code}`", kind.status, *kind.resident)
        for code, kind in CATALOGUE.items()
        if kind.resident
    )
    said = ("What happened", "What to do")
    text = _replaced(text, "gateway", _table(("Code", "HTTP", *said), gateway))
    text = _replaced(text, "replies", _table(("Code", "Status", *said), replies))
    for name, codes in (("client", CLIENT_CODES), ("command", COMMAND_CODES)):
        rows = ((f"`{code}`", message) for code, message in codes.items())
        text = _replaced(text, name, _table(("Code", "What happened"), rows))
    return text


def operators_page(text: str) -> str:
    """Return the text of docs/operators.md with its tables as the code has them now."""
    operations = (
        (f"`{one.function}`", f"`{one.name}`", _arguments(one.schema))
        for one in OPERATIONS.values()
    )
    text = _replaced(text, "operations", _table(("Function", "Operation", "Arguments"), operations))
    text = _replaced(text, "file", f"```csv\n{EXAMPLE_FILE}```")
    lines = ((f"`{code}`", kind.line) for code, kind in CATALOGUE.items() if kind.line)
    errors = ((f"`{code}`", *kind.operator) for code, kind in CATALOGUE.items() if kind.operator)
    text = _replaced(text, "lines", _table(("Code", "What is wrong"), lines))
    return _replaced(text, "errors", _table(("Code", "What happened", "What to do"), errors))


def _arguments(schema: Schema) -> str:
    by_need: dict[bool, list[str]] = {True: [], False: []}
    for name, field in schema.fields.items():
        by_need[field.required].append(f"`{field.data_key or name}`")
    required, optional = (", ".join(names) for names in by_need.values())
    return "; ".join(filter(None, (required, optional and f"optional: {optional}")))


PAGES = {
    ROOT / "docs" / "errors.md": errors_page,
    ROOT / "docs" / "operators.md": operators_page,
}


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _replaced(text: str, name: str, part: str) -> str:
    start, end = f"<!-- reference: {name} -->\n", "<!-- /reference -->"
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{part}\n\n{end}{rest.partition(end)[2]}"


def main() -> None:
    """Write the pages."""
    for page, written in PAGES.items():
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
