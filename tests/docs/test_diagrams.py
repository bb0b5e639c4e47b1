"""The diagrams of docs/architecture.md show the modules, queues and functions that there are."""

from __future__ import annotations

import json
import re

from tests.support.documents import ROOT, text_of
from tests.support.terraform import MODULES, TERRAFORM

PAGE = text_of(ROOT / "docs" / "architecture.md")
SERVICE = json.loads((TERRAFORM / "service.json").read_text(encoding="utf-8"))


def diagram(name: str) -> str:
    """Return the source of a diagram of the page."""
    found = re.search(rf"<!-- diagram: {name} -->\n\n```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def labels(start: str) -> set[str]:
    """Return the labels of the service diagram's nodes whose id begins with `start`."""
    return set(re.findall(rf'^\s*{start}\w*\[+\(?"([^"]+)"', diagram("service"), re.MULTILINE))


def test_each_module_is_shown() -> None:
    shown = re.findall(r"^  subgraph (\w+)", diagram("service") + diagram("network"), re.MULTILINE)
    assert set(shown) - {"aws"} == set(MODULES)


def test_each_queue_is_shown() -> None:
    requests = SERVICE["queues"]["requests"]
    dead = {f"{name}-dlq" for name, queue in requests.items() if queue["dead_letters"]}
    assert labels("queue_") == {*requests, *dead}


def test_each_function_is_shown() -> None:
    [several] = labels("functions_of_operators")
    shown = [label.partition(",")[0] for label in labels("function_")] + several.split(", ")
    assert sorted(shown) == sorted(SERVICE["functions"])
