"""The diagrams of docs/architecture.md show what Terraform makes, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.documents import ROOT, text_of
from tests.support.terraform import MODULES, TERRAFORM
from tests.support.terraform_readme import blocks

PAGE = text_of(ROOT / "docs" / "architecture.md")
SERVICE = json.loads((TERRAFORM / "service.json").read_text(encoding="utf-8"))


def diagram(name: str) -> str:
    """Return the source of a diagram of the page."""
    found = re.search(rf"<!-- diagram: {name} -->\n\n```mermaid\n(.*?)```", PAGE, re.S)
    assert found, name
    return found[1]


def labels(text: str, start: str) -> set[str]:
    """Return the labels of the nodes whose id begins so."""
    return set(re.findall(rf'^\s*{start}\w*\[+\(?"([^"]+)"', text, re.M))


def test_each_module_is_shown_and_nothing_that_is_none() -> None:
    service = set(re.findall(r"^  subgraph (\w+)", diagram("service"), re.M))
    network = set(re.findall(r"^  subgraph (\w+)", diagram("network"), re.M)) - {"aws"}
    assert service | network == set(MODULES)


def test_each_queue_is_shown_and_nothing_that_is_none() -> None:
    requests = SERVICE["queues"]["requests"]
    dead = {f"{name}-dlq" for name, queue in requests.items() if queue["dead_letters"]}
    assert labels(diagram("service"), "queue_") == {*requests, *dead}


def test_each_function_is_shown_and_nothing_that_is_none() -> None:
    single = labels(diagram("service"), "function_")
    [several] = labels(diagram("service"), "functions_of_operators")
    shown = [label.partition(",")[0] for label in single] + several.split(", ")
    assert sorted(shown) == sorted(SERVICE["functions"])


def test_each_function_that_reads_a_queue_has_its_arrow() -> None:
    for operation in SERVICE["queues"]["requests"]:
        arrow = f"gateway --> queue_{operation} --> function_{operation}\n"
        assert arrow in diagram("service"), operation


def test_functions_with_a_cache_have_an_arrow_to_it_and_no_others() -> None:
    cached = {name for name, function in SERVICE["functions"].items() if function["cache"]}
    assert set(re.findall(r"function_(\w+) --> results", diagram("service"))) == cached


def test_each_endpoint_is_shown_and_nothing_that_is_none() -> None:
    variables = dict(blocks(TERRAFORM / "modules" / "network" / "variables.tf", "variable"))
    services = {name.strip('"') for name in variables["endpoint_services"]["default"]}
    shown = {name.removeprefix("endpoint ") for name in labels(diagram("network"), "endpoint_")}
    assert shown == services


@pytest.mark.parametrize("name", ["service", "network"])
def test_arrows_join_what_is_drawn(name: str) -> None:
    source = diagram(name)
    drawn = set(re.findall(r"^\s*(?:subgraph )?(\w+)(?:[\[(]|$)", source, re.M)) - {"end"}
    lines = [line for line in source.splitlines() if re.search(r"-->|\.->", line)]
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]
    joined = {word for line in bare for word in re.findall(r"\w+", line)}
    assert lines
    assert joined - drawn == set()
