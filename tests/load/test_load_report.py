"""What the report holds, and what the picture shows."""

import json
import platform
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from tools.load.compare import comparison
from tools.load.depths import Depth
from tools.load.errors import LoadError
from tools.load.ledger import Ledger
from tools.load.picture import picture
from tools.load.report import SCHEMA, report, write
from tools.load.samples import DONE, Recording, Sample, Ticket
from tools.load.show import Show
from tools.load.summary import summarise
from tools.load.target import running_target

SVG = "{http://www.w3.org/2000/svg}"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def made_report() -> dict[str, Any]:
    recording = Recording(lambda: 0.0)
    recording.samples.append(Sample("pay", 0.1, 0.1, 0.2, 0.9, DONE))
    recording.samples.append(Sample("login", 1.1, 1.1, None, 1.2, "too_many_requests"))
    recording.responses.append((1.2, "POST", 429))
    run = {"name": "open", **summarise(recording, start=0.0, end=2.0)}
    depth = Depth(0.5, {"auth": 1, "payments": 7}, 4)
    run["depths"] = [{"second": depth.at, "queues": depth.queues, "outstanding": 4}]
    values = {"a": [2.0, 8.0, 6.0], "b": [1.0, 2.0, 9.0]}
    compared = comparison("p99", of="a", to="b", values=values)
    return report("open", settings={"rate": 5}, runs=[run], comparisons=[compared])


def test_a_report_is_as_its_schema_says(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "open.json"
    write(made_report(), file)
    VALIDATOR.validate(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("missing", ["runs", "environment", "settings"])
def test_the_schema_notices_what_is_missing(missing: str) -> None:
    content = made_report()
    del content[missing]
    assert not VALIDATOR.is_valid(content)


def test_the_schema_describes_every_field() -> None:
    VALIDATOR.check_schema(VALIDATOR.schema)
    content = made_report()
    content["runs"][0]["secret"] = 1
    assert not VALIDATOR.is_valid(content)


def test_the_environment_does_not_name_the_machine() -> None:
    text = json.dumps(made_report()["environment"])
    assert platform.node() not in text
    assert str(Path.home()) not in text


def test_a_comparison_divides_turn_by_turn() -> None:
    found = made_report()["comparisons"][0]
    assert (found["lowest"], found["ratio"], found["highest"]) == (0.667, 2.0, 4.0)


def test_the_picture_is_one_svg_with_all_series_and_no_script() -> None:
    text = picture(made_report())
    root = ElementTree.fromstring(text)  # noqa: S314 - we drew it
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f"{SVG}svg")) == 3
    assert "<script" not in text
    for name in ("due", "429", "pay", "login", "payments"):
        assert f">{name}<" in text


def test_the_tables_show_numbers_and_errors() -> None:
    console = Console(record=True, width=120)
    Show(console).report(made_report())
    shown = console.export_text()
    assert "too_many_requests x 1" in shown
    assert "POST 429 x 1" in shown
    assert "a / b = 2.0 (0.667 to 4.0)" in shown


def test_a_ledger_holds_only_if_nothing_is_wrong() -> None:
    def ledger(**fields: Any) -> Ledger:
        counts = {"accepted": 9, "answered": 9, "answered_late": 0, "dead_letters": 0}
        return Ledger(**{**counts, "lost": [], "receipts": 3, **fields})

    assert ledger().holds
    assert ledger(dead_letters=2).holds
    for field in ("lost", "paid_twice", "receipts_without_payment", "violations"):
        assert not ledger(**{field: ["x"]}).holds
    assert not ledger(still_queued=1).holds


def test_a_request_is_answered_with_its_last_part() -> None:
    recording = Recording(lambda: 0.0)
    for request_id in ("one", "two"):
        recording.ticket(Ticket(request_id, "utils", "/poll", 0))
    recording.reply({"request_id": "one", "part": 2, "parts": 2})
    recording.reply({"request_id": "one", "part": 2, "parts": 2})
    assert set(recording.tickets.open) == {"one", "two"}
    recording.reply({"request_id": "one", "part": 1, "parts": 2})
    assert set(recording.tickets.open) == {"two"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"residents": [{"username": "ada"}]}'])
def test_credentials_that_can_not_be_read_are_rejected(text: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LoadError, match="can't be read"):
        running_target("http://127.0.0.1:9", file)


def test_credentials_without_an_apartment_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text('{"residents": [{"username": "a", "password": "b", "apartments": []}]}')
    with pytest.raises(LoadError, match="no resident"):
        running_target("http://127.0.0.1:9", file)
