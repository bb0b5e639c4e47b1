"""Rules that the text of each request template keeps, whatever it is rendered with."""

from __future__ import annotations

import re

import pytest

from tests.unit.gateway.tools import CONTRACT
from tools.local.gateway.document import Operation


def request_templates() -> list[str]:
    """List the request templates that lead to SQS."""
    return [
        template
        for entry in CONTRACT.operations
        if entry.integration.kind == "aws"
        for template in entry.integration.templates.values()
    ]


def nested(depth: int) -> str:
    """Make a pattern for text with balanced parentheses."""
    return r"[^()]*" if depth == 0 else rf"(?:[^()]|\({nested(depth - 1)}\))*"


ENCODED = re.compile(rf"\$util\.urlEncode\({nested(3)}\)")
DIRECTIVE = re.compile(rf"#(?:set|if|elseif|foreach)\({nested(4)}\)|#else|#end")


@pytest.mark.parametrize("template", request_templates())
def test_every_value_that_a_request_template_prints_is_encoded(template: str) -> None:
    lines = [line.removesuffix("##") for line in template.splitlines()]
    printed = DIRECTIVE.sub("", "".join(lines))
    assert "Action=" in printed
    assert not set("$#") & set(ENCODED.sub("", printed))


@pytest.mark.parametrize("template", request_templates())
def test_no_line_break_reaches_the_form_body(template: str) -> None:
    assert all(line.endswith("##") for line in template.splitlines()[:-1])
    assert not template.endswith("\n")


@pytest.mark.parametrize(
    "entry", CONTRACT.operations, ids=lambda entry: f"{entry.method} {entry.path}"
)
def test_templates_use_only_what_every_executor_has(entry: Operation) -> None:
    responses = [response.template for response in entry.integration.responses]
    for template in (*entry.integration.templates.values(), *responses):
        methods = set(re.findall(r"\.(\w+)\(", template))
        ours = {"contains", "substring"} | {"toLowerCase", "replaceAll", "get", "keySet"}
        assert methods <= ours | {"path", "params", "urlEncode"}
        # To Java these are groups and escapes, which no executor here reads.
        replacements = re.findall(r"\.replaceAll\('[^']*', '([^']*)'\)", template)
        assert not {"$", "\\"} & set("".join(replacements))
