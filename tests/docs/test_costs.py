"""The bill of a month: its arithmetic, its price table, and the page that shows it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import hcl2
import pytest
from click.testing import CliRunner

from tests.support.terraform import ROOT, TERRAFORM
from tests.support.terraform_readme import blocks
from tools.costs.__main__ import main, month
from tools.costs.page import PAGE, with_generated_parts
from tools.costs.prices import PriceUnknown, read_prices
from tools.costs.sizes import NoTier, sizes_for, tiers
from tools.costs.usage import Inventory

MODULES = TERRAFORM / "modules"
REGIONS = ["eu-central-1", "us-east-1"]


def test_the_page_shows_what_the_script_computes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_generated_parts(page), "run `python -m tools.costs.page`"


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("residents", [1_000, 100_000, 1_000_000])
def test_a_bill_is_the_sum_of_its_lines(residents: int, region: str) -> None:
    bill = month(residents, region)
    assert bill.usd == pytest.approx(sum(line.usd for line in bill.lines))
    assert bill.usd == pytest.approx(sum(bill.by_service().values()))
    assert all(line.quantity > 0 for line in bill.lines)


def test_more_residents_never_cost_less() -> None:
    bills = [month(residents, "eu-central-1").usd for residents in (1, 999, 1_000, 1_001, 90_000)]
    assert bills == sorted(bills)


def test_a_price_with_steps_is_paid_step_by_step() -> None:
    price = read_prices()["cognito.lite"]
    paid = 90_000 * 0.0055 + 50_000 * 0.0046
    assert price.of(150_000, region="eu-central-1") == pytest.approx(paid)
    assert price.of(10_000, region="eu-central-1") == 0


def test_every_price_has_its_source_its_date_and_both_regions() -> None:
    for price in read_prices().all():
        assert price.source.startswith("https://aws.amazon.com/"), price.name
        assert date.fromisoformat(price.as_of) <= date.today(), price.name  # noqa: DTZ011
        assert sorted(price.steps) == REGIONS, price.name


def test_a_price_that_was_not_confirmed_says_so() -> None:
    table = json.loads((ROOT / "tools" / "costs" / "prices.json").read_text(encoding="utf-8"))
    for entry in table["prices"]:
        assert entry["confirmed"] or "check the source" in entry["note"], entry["name"]


def test_an_unknown_region_is_named_with_the_known_ones() -> None:
    with pytest.raises(PriceUnknown, match="mars-1; known: eu-central-1, us-east-1"):
        month(1_000, "mars-1")


def test_beyond_the_largest_tier_there_is_no_guess() -> None:
    assert sizes_for(tiers()[-1]).residents == tiers()[-1]
    with pytest.raises(NoTier, match="up to 1,000,000 residents"):
        sizes_for(tiers()[-1] + 1)


def test_the_command_prints_json() -> None:
    result = CliRunner().invoke(main, ["--residents", "2000", "--json"])
    answer = json.loads(result.output)
    assert answer["usd_per_month"] == round(month(2_000, "eu-central-1").usd, 2)
    assert answer["sizes"] == "100000.tfvars.json"


def test_the_command_prints_a_table() -> None:
    result = CliRunner().invoke(main, ["--region", "us-east-1"])
    assert result.exit_code == 0
    assert f"{month(1_000, 'us-east-1').usd:,.2f}" in result.output


def test_the_command_rejects_what_it_can_not_compute() -> None:
    result = CliRunner().invoke(main, ["--region", "mars-1"])
    assert result.exit_code == 1
    assert "No price of" in result.output


@pytest.mark.parametrize("residents", tiers())
def test_sizes_are_variables_that_terraform_has(residents: int) -> None:
    variables = dict(blocks(TERRAFORM / "variables.tf", "variable"))
    for name, value in _sizes(residents).items():
        known = {*re.findall(r"\w+", variables[name]["type"]), *sizes_for(residents).memory_mib}
        assert value.keys() - known == set(), name


def test_the_smallest_sizes_are_what_terraform_takes_without_a_word() -> None:
    variables = dict(blocks(TERRAFORM / "variables.tf", "variable"))
    for name, value in _sizes(1_000).items():
        defaults = re.findall(r"(\w+) *= *optional\(\w+, ([^)]+)\)", variables[name]["type"])
        for field, size in value.items():
            assert json.loads(dict(defaults)[field]) == size, f"{name}.{field}"


def test_the_middle_sizes_are_those_of_the_environment_for_residents() -> None:
    sizes = _sizes(100_000)
    with (TERRAFORM / "environments" / "prod.tfvars").open(encoding="utf-8") as file:
        environment = hcl2.load(file)
    for name in ("network", "database", "cache", "functions"):
        written = {key: _plain(value) for key, value in environment[name].items()}
        assert {key: sizes[name].get(key) for key in written} == written, name


def _sizes(residents: int) -> dict[str, dict[str, Any]]:
    sizes: dict[str, dict[str, Any]] = json.loads(sizes_for(residents).file.read_text())
    return sizes


def _plain(value: Any) -> Any:
    """Take the quotes off that the parser leaves around texts."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.strip('"') if isinstance(value, str) else value


def test_the_inventory_counts_what_terraform_makes() -> None:
    observability = (MODULES / "observability" / "main.tf").read_text(encoding="utf-8")
    firewall = (MODULES / "api" / "firewall.tf").read_text(encoding="utf-8")
    network = (MODULES / "network" / "variables.tf").read_text(encoding="utf-8")
    inventory = Inventory()
    endpoints = re.search(r'"endpoint_services".*?default\s*=\s*\[(.*?)\]', network, re.S)
    assert endpoints
    assert inventory.endpoints == len(endpoints[1].split(","))
    managed = len(re.findall(r"^ +AWSManagedRules\w+ += \[", firewall, re.M))
    limits = len(re.findall(r"^ +RateBasedStatement += \{", firewall, re.M))
    assert inventory.firewall_rules == managed + limits
    assert _alarm_groups(observability) == {
        "function_names": inventory.alarms_per_function,
        "function_timeouts_seconds": inventory.alarms_per_quick_function,
        "request_queue_names, api": inventory.alarms_per_queue_function,
        "dead_letter_queue_names": inventory.alarms_per_dead_letter_queue,
        "cache_node_ids": inventory.alarms_per_cache_node,
        "own": inventory.alarms_of_their_own,
    }


def _alarm_groups(text: str) -> dict[str, int]:
    """Count the alarms of the module by what they are made for."""
    alarms = text[text.index("alarms = merge(") : text.index("own_namespace =")]
    loops = re.findall(r"in var\.([\w]+)", alarms)
    per_queue = ("request_queue_names", "api")
    return {
        "function_names": loops.count("function_names"),
        "function_timeouts_seconds": loops.count("function_timeouts_seconds"),
        ", ".join(per_queue): sum(loops.count(name) for name in per_queue),
        "dead_letter_queue_names": loops.count("dead_letter_queue_names"),
        "cache_node_ids": loops.count("cache_node_ids"),
        "own": len(re.findall(r"^      [a-z-]+ = \{$", alarms, re.M)),
    }
