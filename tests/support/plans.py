"""The plan of every statement that ran inside a function, triggers included.

auto_explain logs them, and the client can ask for the log.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.ledger import query

Node = dict[str, Any]

# Tables of a few rows, which Postgres rightly reads whole.
SMALL = frozenset(
    {"deployment", "providers", "utilities", "receipt_numbers", "pg_trigger", "pg_class"}
)

_SETTINGS = """
    LOAD 'auto_explain';
    SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_analyze = on;
    SET auto_explain.log_buffers = on;
    SET auto_explain.log_timing = off;
    SET auto_explain.log_format = json;
    SET client_min_messages = log
"""


@dataclass(frozen=True)
class Trace:
    """The plans of one call, the call itself last."""

    plans: tuple[Node, ...]

    @property
    def blocks(self) -> int:
        """Return how many blocks of 8 KiB all statements of the call read together."""
        whole = self.plans[-1]["Plan"]
        blocks: int = whole["Shared Hit Blocks"] + whole["Shared Read Blocks"]
        return blocks

    def scans_of_whole_tables(self) -> set[tuple[str, str]]:
        """Return table and statement of each scan without an index, except of small tables."""
        return {
            (node["Relation Name"], plan["Query Text"])
            for plan in self.plans
            for node in _nodes(plan["Plan"])
            if _reads_all(node) and node["Relation Name"] not in SMALL
        }


def trace(connection: Connection, statement: str, *parameters: Any) -> Trace:
    """Run a statement on a superuser's connection and return the plans of all that it ran."""
    query(connection, _SETTINGS)
    # The plain list of psycopg2 keeps the last 50 notices only; its type allows no other.
    notices: deque[str] = deque()
    connection.notices = notices  # type: ignore[assignment]
    query(connection, statement, *parameters)
    return Trace(tuple(_plans(notices)))


def _plans(notices: deque[str]) -> Iterator[Node]:
    for notice in notices:
        _, found, plan = notice.partition("plan:\n")
        if found:
            yield json.loads(plan)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _reads_all(node: Node) -> bool:
    if "Relation Name" not in node or node["Node Type"] == "ModifyTable":
        return False
    return "Index Cond" not in node and node["Node Type"] not in {"Bitmap Heap Scan", "Tid Scan"}
