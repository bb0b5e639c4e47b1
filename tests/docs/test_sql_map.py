"""The map in sql/README.md names each function and the functions that it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

from billing_app.adapters.migrations import SQL_FOLDER

JSON = {"done", "rejected", "instant", "period", "provider"}
FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (\w+\.(\w+))\((.*?)\n\$\$;", re.DOTALL)
CALL = re.compile(r"\b(?:api|billing)\.(\w+)\(")


def call_table() -> Iterator[str]:
    yield "| File | Function | Calls |"
    yield "| --- | --- | --- |"
    for folder in ("api", "internal"):
        for file in sorted((SQL_FOLDER / "functions" / folder).glob("*.sql")):
            for _, name, body in FUNCTION.findall(file.read_text("utf-8")):
                called = dict.fromkeys(CALL.findall(re.sub("--.*", "", body)))
                calls = ", ".join(f"`{one}`" for one in called if one not in JSON)
                if name not in JSON:
                    place = f"{folder}/{file.name}"
                    yield f"| [{place}](functions/{place}) | `{name}` | {calls} |"


def test_the_map_is_what_the_functions_call() -> None:
    readme = (SQL_FOLDER / "README.md").read_text("utf-8")
    table = "\n".join(call_table())
    assert readme.partition("<!-- calls -->\n")[2].partition("\n<!-- /calls -->")[0] == table
