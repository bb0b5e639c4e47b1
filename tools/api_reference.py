"""`python -m tools.api_reference`: writes the generated parts of docs/api.md.

Each part stands between `<!-- contract: NAME -->` and `<!-- /contract -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.local.gateway.document import SOURCE, read
from tools.local.gateway.health_and_docs import public_document

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
_PART = re.compile(r"(<!-- contract: (\w+) -->\n).*?(<!-- /contract -->)", re.DOTALL)
_ERROR = re.compile(r'\{"code":"(\w+)","message":"([^"]+)"')
_REQUESTS = (
    *("PasswordLogin", "NewPasswordLogin", "TokenRefresh"),
    *("DebtsRequest", "PaymentRequest", "HistoryRequest"),
)
# Statuses of codes that no gateway response gives, or none of its own.
_OF_TEMPLATES = {"bad_request": "4xx", "invalid_receipt": "400"}
_REPLIES = ("LoginReply", "DebtsReply", "PaymentReply", "HistoryReply")


def rewrite(page: str, document: str) -> str:
    """Give the page with its parts as the contract says them; KeyError for an unknown part."""
    parts = {
        "routes": _routes,
        "requests": _requests,
        "replies": _replies,
        "errors": _errors,
    }
    return _PART.sub(
        lambda found: f"{found[1]}\n{chr(10).join(parts[found[2]](document))}\n\n{found[3]}", page
    )


def _routes(document: str) -> Iterator[str]:
    yield "| Method and path | What it does | Token | Answer |"
    yield "| --- | --- | --- | --- |"
    for path, item in public_document(document)["paths"].items():
        for method, entry in item.items():
            token = "yes" if entry.get("security") else "no"
            success = min(entry["responses"])
            yield f"| {method.upper()} `{path}` | {entry['summary']} | {token} | {success} |"


def _requests(document: str) -> Iterator[str]:
    schemas = public_document(document)["components"]["schemas"]
    yield "| Body | Field | Needed | What it takes |"
    yield "| --- | --- | --- | --- |"
    for name in _REQUESTS:
        for field, schema in schemas[name]["properties"].items():
            needed = "yes" if field in schemas[name]["required"] else "no"
            yield f"| {name} | `{field}` | {needed} | {_takes(schemas, schema)} |"


def _takes(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _takes(schemas, schemas[schema["$ref"].rsplit("/", 1)[-1]])
    kind = schema.get("type", "string or null")
    limits = [
        f"{word} {schema[name]}"
        for name, word in (
            *(("minLength", "at least"), ("maxLength", "at most"), ("minimum", "from")),
            ("maximum", "to"),
            *(("minItems", "at least"), ("maxItems", "at most")),
        )
        if name in schema
    ]
    described = [schema["description"].strip()] if "description" in schema else []
    return ". ".join([", ".join([kind, *limits]), *described])


def _replies(document: str) -> Iterator[str]:
    schemas = public_document(document)["components"]["schemas"]
    for name in _REPLIES:
        example = schemas[name]["example"]
        yield f"`data` of operation `{example['operation']}`:\n"
        yield "```json"
        yield json.dumps(example["data"], indent=2)
        yield "```\n"


def _errors(document: str) -> Iterator[str]:
    tree = public_document(document)
    messages = dict(_ERROR.findall(document))
    statuses = {**_statuses_of_gateway_responses(document), **_OF_TEMPLATES}
    yield "| Status | Code | Message |"
    yield "| --- | --- | --- |"
    for code in tree["components"]["schemas"]["Error"]["properties"]["code"]["enum"]:
        yield f"| {statuses[code]} | `{code}` | {messages[code]} |"


def _statuses_of_gateway_responses(document: str) -> dict[str, str]:
    responses = read(document).gateway_responses.values()
    return {
        code: str(response.status)
        for response in responses
        for code, _ in _ERROR.findall(response.template)
    }


def main() -> None:
    """Rewrite the page."""
    page = rewrite(PAGE.read_text("utf-8"), SOURCE.read_text("utf-8"))
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
