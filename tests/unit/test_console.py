"""What tools print is what they were given."""

from __future__ import annotations

import pytest

from tools.console import Console, fail

TEXT = "arn:aws:secretsmanager:eu-central-1:1:secret:x [red] [/]"


def test_a_text_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.say(TEXT)
    console.text(TEXT, style="bold")
    console.table("", ["Resource"], [[TEXT]])
    fail(TEXT)
    said = capsys.readouterr()
    assert (said.out.count(TEXT), said.err.count(TEXT)) == (3, 1)
