"""The bill of a month: its arithmetic, its prices, and the sizes that it is computed for."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import hcl2
import pytest
from click.testing import CliRunner

from tests.support.terraform_readme import PLAIN, blocks
from tools.costs import SIZES, TERRAFORM, by_service, main, month, price, tiers
from tools.reference import COSTS

PRICES = json.loads((Path(__file__).parents[2] / "tools" / "prices.json").read_text("utf-8"))
REGIONS = ["eu-central-1", "us-east-1"]
STEPS = {"name": "x", "usd": {"here": [[10, 0], [100, 2.0], [None, 1.0]]}}


@pytest.mark.parametrize("region", REGIONS)
def test_the_command_prints_lines_that_add_up(region: str) -> None:
    printed = CliRunner().invoke(main, ["--residents", "2000", "--region", region])
    lines = month(2_000, region)
    assert sum(by_service(lines).values()) == pytest.approx(sum(line.usd for line in lines))
    assert printed.output.split()[-1] == f"{sum(line.usd for line in lines):,.2f}"


def test_more_residents_never_cost_less() -> None:
    bills = [sum(line.usd for line in month(n, REGIONS[0])) for n in (1, 999, 1_001, 10**6)]
    assert bills == sorted(bills)


@pytest.mark.parametrize(("quantity", "usd"), [(10, 0), (60, 100), (150, 230)])
def test_a_price_with_steps_is_paid_step_by_step(quantity: float, usd: float) -> None:
    assert price(STEPS, quantity, "here") == usd


def test_unknown_regions_and_too_many_residents_are_rejected() -> None:
    with pytest.raises(click.ClickException, match="mars-1; known: eu-central-1, us-east-1"):
        month(1_000, "mars-1")
    with pytest.raises(click.ClickException, match="up to 1,000,000 residents"):
        month(tiers()[-1] + 1, REGIONS[0])


def test_the_sums_of_the_page_are_about_those_of_today() -> None:
    written = COSTS.read_text("utf-8").partition("| **All** |")[2].partition("\n")[0]
    sums = [sum(line.usd for line in month(tier, REGIONS[0])) for tier in tiers()]
    shown = [float(cell.replace(",", "")) for cell in re.findall(r"[\d,]+", written)]
    assert shown == pytest.approx(sums, rel=0.05)


@pytest.mark.parametrize("entry", PRICES["prices"], ids=lambda entry: entry["name"])
def test_each_price_has_its_source_its_date_and_both_regions(entry: dict[str, Any]) -> None:
    assert entry["source"].startswith("https://aws.amazon.com/")
    assert date.fromisoformat(entry["as_of"]) <= datetime.now(UTC).date()
    assert sorted(entry["usd"]) == sorted(REGIONS)
    assert entry["confirmed"] or "check the source" in entry["note"]


@pytest.mark.parametrize("tier", tiers())
def test_sizes_are_variables_that_terraform_has(tier: int) -> None:
    variables = dict(blocks(TERRAFORM / "variables.tf", "variable"))
    functions = json.loads((TERRAFORM / "service.json").read_text("utf-8"))["functions"]
    for name, value in _sizes(tier).items():
        known = {*re.findall(r"\w+", variables[name]["type"]), *functions}
        assert set(value if isinstance(value, dict) else ()) <= known, name


def test_the_smallest_sizes_are_the_defaults() -> None:
    variables = dict(blocks(TERRAFORM / "variables.tf", "variable"))
    for name, value in _sizes(1_000).items():
        defaults = dict(re.findall(r"(\w+) *= *optional\(\w+, ([^)]+)\)", variables[name]["type"]))
        assert {field: json.loads(defaults[field]) for field in value} == value, name


def test_the_middle_sizes_are_those_of_production() -> None:
    sizes = _sizes(100_000)
    with (TERRAFORM / "environments" / "prod.tfvars").open(encoding="utf-8") as file:
        environment = hcl2.load(file, serialization_options=PLAIN)
    for name in ("network", "database", "cache", "functions"):
        written = environment[name]
        assert {key: sizes[name].get(key) for key in written} == written, name


def _sizes(tier: int) -> dict[str, dict[str, Any]]:
    sizes: dict[str, dict[str, Any]] = json.loads((SIZES / f"{tier}.tfvars.json").read_text())
    return sizes
