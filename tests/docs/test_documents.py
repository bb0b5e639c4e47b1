"""What documents name exists: files, headings, make targets, options, variables, AWS's calls."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from billing_client.cli.main import cli as billing

from billing_app.admin.cli.main import billing_admin
from tests.support.documents import (
    DOCUMENTS,
    ROOT,
    anchors_of,
    blocks_of,
    commands_of,
    links_of,
    prose_of,
    text_of,
)
from tools.costs import main as costs
from tools.load.__main__ import main as load
from tools.local.__main__ import main as local

# What a command of the document makes, or what is each operator's own.
MADE = {
    "terraform/.terraform.lock.hcl",
    "terraform/backend.tf",
    "terraform/modules/functions/deployment.zip",
    "terraform/modules/functions/chalice.tf.json",
}
# `build` is made by commands and holds what they left, if they ran.
FOLDERS = sorted(
    path.name
    for path in ROOT.iterdir()
    if path.is_dir() and path.name[0] != "." and path.name != "build"
)
PROGRAMS: dict[str, click.Command] = {
    "billing-admin": billing_admin,
    "billing": billing,
    "python -m tools.load": load,
    "python -m tools.costs": costs,
    "python -m tools.local": local,
}

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for file, anchor in links_of(document):
        assert file.exists(), file
        assert not anchor or anchor in anchors_of(file), f"{file.name}#{anchor}"


@each_document
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", prose_of(document))
    missing = [name for name in named if name not in MADE and not (ROOT / name).exists()]
    assert missing == []


@each_document
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", prose_of(document)))
    run = {
        found[1] for line in commands_of(document) if (found := re.match(r"make ([a-z-]+)", line))
    }
    assert (named | run) - targets == set()


@each_document
def test_options_of_our_commands_exist(document: Path) -> None:
    for line in commands_of(document):
        for name, program in PROGRAMS.items():
            for words in _calls(line, name):
                _check_options(program, words)


def _calls(line: str, program: str) -> list[list[str]]:
    """Return the words after each call of the program in a line of shell."""
    calls = re.findall(rf"(?:^|[|(;&] *|\.venv/bin/){program} ([^|;)<>]*)", line)
    return [
        shlex.split(call.rstrip(" \\"), comments=True) for call in calls if call.count("'") % 2 == 0
    ]


def _check_options(command: click.Command, words: list[str]) -> None:
    """Follow the words through groups; each option must be one of the command it stands at."""
    known = _options(command)
    for position, word in enumerate(words):
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known, f"{command.name}: {word}"
        elif isinstance(command, click.Group) and word in command.commands:
            return _check_options(command.commands[word], words[position + 1 :])
    return None


def _options(command: click.Command) -> set[str]:
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    return options | {"--help", "-h", "--version"}


@pytest.mark.parametrize("name", ["security", "reliability"])
def test_each_proof_that_is_named_is_a_test(name: str) -> None:
    document = ROOT / "docs" / f"{name}.md"
    tests = "\n".join(text_of(path) for path in (ROOT / "tests").rglob("test_*.py"))
    runs = "\n".join(text_of(path) for path in (ROOT / "terraform").rglob("*.tftest.hcl"))
    python = set(re.findall(r"`(test_\w+)`", text_of(document)))
    assert {name for name in python if f"def {name}(" not in tests} == set()
    for file, names in re.findall(r"`(\w+)\.tftest\.hcl`: ((?:`\w+`(?:, )?)+)", text_of(document)):
        assert list((ROOT / "terraform").rglob(f"{file}.tftest.hcl")), file
        assert [name for name in re.findall(r"`(\w+)`", names) if f'run "{name}"' not in runs] == []


def test_examples_in_csv_have_the_columns_of_an_import() -> None:
    headings = {
        block.text.splitlines()[0] for page in DOCUMENTS for block in blocks_of(page, "csv")
    }
    assert len(headings) == 1
