"""Operators' pages: calls of AWS, Terraform's names, alarms and function names are real."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import botocore.session
import hcl2
import pytest
from botocore import xform_name

from tests.support.documents import OPERATORS, ROOT, blocks_of, commands_of, text_of
from tests.support.terraform import TERRAFORM
from tests.support.terraform_readme import PLAIN, blocks

SERVICE = json.loads((TERRAFORM / "service.json").read_text(encoding="utf-8"))
RUNBOOK = ROOT / "docs" / "runbook.md"
VARIABLES = dict(blocks(TERRAFORM / "variables.tf", "variable"))
OUTPUTS = dict(blocks(TERRAFORM / "outputs.tf", "output"))
VARIABLE_FILES = [*TERRAFORM.rglob("*.tfvars"), *TERRAFORM.rglob("*.tfvars.json")]
ALL = "\n".join(text_of(page) for page in OPERATORS)

GLOBAL_OPTIONS = {"--query", "--output", "--region", "--profile"}
# Commands of the CLI that are no calls of an API, and their options.
OWN_COMMANDS = {
    ("logs", "tail"): {"--since", "--format", "--filter-pattern", "--follow"},
    ("configure", "set"): set(),
}
AWS_CALLS = sorted(
    {
        call.strip()
        for page in OPERATORS
        for line in [*commands_of(page), *re.findall(r"`(aws [^`]+)`", text_of(page))]
        for part in line.split("$(")
        for call in re.findall(
            r"aws (?!/)(?:--profile \w+ )?([a-z0-9-]+ [a-z-]+(?: [^|;)]*)?)", part
        )
    }
)


def test_calls_of_aws_have_the_options_that_are_used() -> None:
    assert AWS_CALLS
    for call in AWS_CALLS:
        service, operation, *rest = call.split()
        options = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert options - _options(service, operation, rest) - GLOBAL_OPTIONS == set(), call


def _options(service: str, operation: str, rest: list[str]) -> set[str]:
    if (service, operation) in OWN_COMMANDS:
        return OWN_COMMANDS[service, operation]
    if operation == "wait":
        waiter = _waiters(service)[rest[0].replace("-", "_")]
        return _members(service, waiter)
    names = {xform_name(name, "-"): name for name in _model(service).operation_names}
    assert operation in names, f"aws {service} {operation}"
    return _members(service, names[operation])


@cache
def _model(service: str) -> Any:
    name = {"s3api": "s3"}.get(service, service)
    return botocore.session.get_session().get_service_model(name)


@cache
def _waiters(service: str) -> dict[str, str]:
    loader = botocore.session.get_session().get_component("data_loader")
    waiters = loader.load_service_model(service, "waiters-2")["waiters"]
    return {xform_name(name): waiter["operation"] for name, waiter in waiters.items()}


def _members(service: str, operation: str) -> set[str]:
    members = _model(service).operation_model(operation).input_shape.members
    names = {f"--{xform_name(name, '-')}" for name in members}
    switches = {
        f"--no-{xform_name(name, '-')}"
        for name, shape in members.items()
        if shape.type_name == "boolean"
    }
    return names | switches


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        (r"output -(?:raw|json) (\w+)", OUTPUTS),
        (r"-var=(\w+)=", VARIABLES),
        (r"-var-file=([\w./-]+)", [str(file.relative_to(TERRAFORM)) for file in VARIABLE_FILES]),
        (r"--function-name \$P-(\w+)", SERVICE["functions"]),
        (r"Name=QueueName,Value=\$P-(\w+)", SERVICE["queues"]["requests"]),
        (r"--queue-name \$P-(\w+)-dlq", SERVICE["queues"]["requests"]),
        (r"secret-id \$P/database/(\w+)", ["writer", "reader", "operator"]),
    ],
)
def test_names_that_commands_use_exist(pattern: str, known: Collection[str]) -> None:
    named = set(re.findall(pattern, ALL))
    assert named
    assert named - set(known) == set()


def test_variables_that_are_set_and_their_fields_exist() -> None:
    settings = [
        setting
        for page in OPERATORS
        for block in blocks_of(page, "hcl")
        for setting in hcl2.loads(block.text, serialization_options=PLAIN).items()
        if setting[0] != "moved"
    ]
    for name, value in settings:
        known = {*re.findall(r"\w+", VARIABLES[name]["type"]), *SERVICE["functions"]}
        assert set(_fields(value)) - known == set(), name


def _fields(value: Any) -> Iterator[str]:
    for field, inner in value.items() if isinstance(value, dict) else ():
        yield field
        yield from _fields(inner)


def test_every_alarm_is_in_the_runbook_and_every_one_there_exists() -> None:
    text = text_of(TERRAFORM / "modules" / "observability" / "main.tf")
    alarms = text[text.index("alarms = merge(") : text.index("own_namespace =")]
    made = {f"{name}-*" for name in re.findall(r'=> \{\n|"([a-z-]+)-\$\{', alarms) if name}
    made |= set(re.findall(r"^      ([a-z-]+) = \{$", alarms, re.MULTILINE))
    made |= {f"{name}-*" for name in re.findall(r'prefix\}-([a-z]+)-\$\{each.key\}"', text)}
    rows = text_of(RUNBOOK).partition("## Which alarm is it?")[2].partition("\n## ")[0]
    shown = {
        name for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE) for name in row.split(", ")
    }
    assert {name.strip("`") for name in shown} == made
