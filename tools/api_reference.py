"""The generated parts of docs/api.md, as the contract says them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.local.gateway.document import SOURCE, read
from tools.local.gateway.health_and_docs import public_document
from tools.markdown import table

_ERROR = re.compile(r'\{"code":"(\w+)","message":"([^"]+)"')
_REQUESTS = (
    *("PasswordLogin", "NewPasswordLogin", "TokenRefresh"),
    *("DebtsRequest", "PaymentRequest", "HistoryRequest"),
)
# Statuses of codes that no gateway response gives, or none of its own.
_OF_TEMPLATES = {"bad_request": "4xx", "invalid_receipt": "400"}
_REPLIES = ("LoginReply", "DebtsReply", "PaymentReply", "HistoryReply")


_DOCUMENT = SOURCE.read_text("utf-8")
_TREE = public_document(_DOCUMENT)
_SCHEMAS = _TREE["components"]["schemas"]


def routes() -> str:
    """Return a table of methods and paths."""
    rows = [
        (
            f"{method.upper()} `{path}`",
            entry["summary"],
            "yes" if entry.get("security") else "no",
            min(entry["responses"]),
        )
        for path, item in _TREE["paths"].items()
        for method, entry in item.items()
    ]
    return table(("Method and path", "What it does", "Token", "Answer"), rows)


def requests() -> str:
    """Return a table of the fields of bodies."""
    rows = [
        (name, f"`{field}`", "yes" if field in _SCHEMAS[name]["required"] else "no", _takes(schema))
        for name in _REQUESTS
        for field, schema in _SCHEMAS[name]["properties"].items()
    ]
    return table(("Body", "Field", "Needed", "What it takes"), rows)


def _takes(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _takes(_SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]])
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


def replies() -> str:
    """Return an example of each reply."""
    examples = [_SCHEMAS[name]["example"] for name in _REPLIES]
    return "\n".join(
        f"`data` of operation `{one['operation']}`:\n\n"
        f"```json\n{json.dumps(one['data'], indent=2)}\n```\n"
        for one in examples
    )


def errors() -> str:
    """Return a table of the gateway's own errors."""
    messages = dict(_ERROR.findall(_DOCUMENT))
    statuses = {**_statuses_of_gateway_responses(_DOCUMENT), **_OF_TEMPLATES}
    codes = _SCHEMAS["Error"]["properties"]["code"]["enum"]
    rows = [(statuses[code], f"`{code}`", messages[code]) for code in codes]
    return table(("Status", "Code", "Message"), rows)


def _statuses_of_gateway_responses(document: str) -> dict[str, str]:
    responses = read(document).gateway_responses.values()
    return {
        code: str(response.status)
        for response in responses
        for code, _ in _ERROR.findall(response.template)
    }
