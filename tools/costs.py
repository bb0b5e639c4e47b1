"""What a month of the service costs: `python -m tools.costs --residents 1000`; see docs/cost.md.

Unit prices (prices.json) times quantities. The quantities come from the number of residents, the
sizes that Terraform deploys for so many, and the assumptions below. Times were measured on one
machine or are generous guesses: compare them with the dashboard once there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from tools import markdown

ROOT = Path(__file__).resolve().parents[1]
TERRAFORM = ROOT / "terraform"
SIZES = TERRAFORM / "environments" / "sizes"
_PRICES = Path(__file__).with_name("prices.json")

HOURS = 730.0

# For each resident and month. A login or a renewal of tokens is an `auth`.
ACTIVE_SHARE = 0.8
# What is left out is asked for too rarely to cost anything.
REQUESTS = {"auth": 6.0, "utils": 8.0, "histories": 5.0, "payments": 2.0}
POLLS = 1.3  # for each request: one long poll, unless the queue is new or busy
PREFLIGHTS = 0.5  # of browsers, for each request
SESSIONS = 4.0  # each makes a reply queue; so does each login
QUEUES = SESSIONS + REQUESTS["auth"]
BILLS = 3.0  # imported, 500 at a time

# For each request.
SECONDS = {"auth": 0.6, "utils": 0.05, "histories": 0.08, "payments": 0.05}
COLD_START_SECONDS = 0.03 * 1.5  # the share of requests that wait for a start, and how long
RESPONSE_KB = 4.0
FUNCTION_LOG_BYTES, FLOW_LOG_BYTES, ACCESS_LOG_BYTES = 1_100.0, 1_500.0, 450.0
LOG_MONTHS = 12.0
TRACED_SHARE = 0.05

# Storage: a bill with its payment and their indexes, kept for two years.
BILL_KB, LEDGER_MONTHS, BACKUP_SIZES = 2.5, 24.0, 1.5

# Of each deployment, however few residents.
ENDPOINTS, SECRETS, FIREWALL_RULES, GATEWAY_METRICS = 3, 5, 5, 5
ALARMS_PER_FUNCTION, ALARMS_PER_QUEUE, ALARMS_PER_NODE, OTHER_ALARMS = 4, 3, 2, 7
SWEEPS = 12 * HOURS
# Five pollers of an event source mapping wait 20 seconds each while nothing comes.
IDLE_POLLS = 5 * HOURS * 3600 / 20
_PROXY_CPUS = {"medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8}

Json = dict[str, Any]
Quantity = tuple[str, str, str, float]


@dataclass(frozen=True)
class Line:
    """A line of the bill. `quantity` is in the price's unit, `usd` the sum of a month."""

    service: str
    what: str
    quantity: float
    usd: float


def month(residents: int, region: str) -> list[Line]:
    """Return the bill of a month.

    Raises:
        click.ClickException: there are no sizes for so many residents, or no prices of the region.
    """
    prices = {price["name"]: price for price in _read(_PRICES)["prices"]}
    sizes = _read(SIZES / f"{size_for(residents)}.tfvars.json")
    return [
        Line(service, what, quantity, price(prices[name], quantity, region))
        for service, what, name, quantity in _quantities(residents, sizes)
        if quantity
    ]


def tiers() -> list[int]:
    """Return for how many residents there are sizes, ascending."""
    return sorted(int(file.name.partition(".")[0]) for file in SIZES.glob("*.tfvars.json"))


def size_for(residents: int) -> int:
    """Return the smallest tier that carries so many residents."""
    for tier in tiers():
        if tier >= residents:
            return tier
    raise click.ClickException(f"There are sizes for up to {tiers()[-1]:,} residents; see {SIZES}.")


def price(entry: Json, quantity: float, region: str) -> float:
    """Return what a quantity costs; a price is a number, or steps of [up to, price]."""
    if region not in entry["usd"]:
        known = ", ".join(sorted(entry["usd"]))
        raise click.ClickException(f"No price of {entry['name']} in {region}; known: {known}.")
    usd = entry["usd"][region]
    total = paid = 0.0
    for up_to, each in usd if isinstance(usd, list) else [(None, usd)]:
        end = quantity if up_to is None else min(quantity, up_to)
        total += max(0.0, end - paid) * each
        paid = max(paid, end)
    return total


def _quantities(residents: int, sizes: Json) -> Iterator[Quantity]:
    """Yield service, what is paid, name of the price, and the quantity of a month."""
    service = _read(TERRAFORM / "service.json")
    active = residents * ACTIVE_SHARE
    requests = active * sum(REQUESTS.values())
    # The POST, its polls, the DELETE, and what browsers ask before.
    api_requests = requests * (2 + POLLS + PREFLIGHTS)
    yield from _stored(residents, sizes)
    yield "Cognito", "residents", f"cognito.{sizes['identity']['tier'].lower()}", active
    yield "API Gateway", "requests", "gateway.request", api_requests
    yield "API Gateway", "data sent", "transfer.out", api_requests * RESPONSE_KB / 1e6
    yield from _functions(residents, active, sizes, service)
    # Request and reply are each sent, received and deleted. A reply queue is created; the sweeper
    # looks it up, counts, deletes and finds it gone, and lists both kinds in each sweep.
    queues = active * QUEUES * 5 + SWEEPS * 2 + IDLE_POLLS * len(service["queues"]["requests"])
    yield "SQS", "requests", "sqs.request", requests * (5 + POLLS) + queues
    yield "WAF", "requests", "waf.request", api_requests
    yield "WAF", "list", "waf.acl", 1
    yield "WAF", "rules", "waf.rule", FIREWALL_RULES
    log_bytes = requests * (FUNCTION_LOG_BYTES + FLOW_LOG_BYTES) + api_requests * ACCESS_LOG_BYTES
    yield "CloudWatch", "logs taken in", "logs.ingested", log_bytes / 1e9
    yield "CloudWatch", "logs kept", "logs.stored", log_bytes / 1e9 * LOG_MONTHS
    yield "CloudWatch", "metrics of API methods", "metrics.custom", _methods() * GATEWAY_METRICS
    yield "CloudWatch", "alarms", "alarms", _alarms(sizes, service)
    yield "CloudWatch", "dashboard", "dashboards", 1
    yield "X-Ray", "traces", "xray.trace", api_requests * TRACED_SHARE
    hours = ENDPOINTS * sizes["network"]["zone_count"] * HOURS
    yield "VPC endpoints", "hours", "endpoint.hour", hours
    yield "VPC endpoints", "data", "endpoint.gb", requests * 3 * RESPONSE_KB / 1e6
    yield "KMS", "keys", "kms.key", 1
    yield "Secrets Manager", "secrets", "secrets.secret", SECRETS


def _stored(residents: int, sizes: Json) -> Iterator[Quantity]:
    database, cache = sizes["database"], sizes["cache"]
    instances = 2 if database["multi_az"] else 1
    ledger_gib = residents * BILLS * LEDGER_MONTHS * BILL_KB / 1024**2
    storage_gib = max(database["allocated_storage_gib"], ledger_gib)
    proxy = _PROXY_CPUS[database["instance_class"].rpartition(".")[2]] * HOURS
    yield "RDS", "instances", f"rds.{database['instance_class']}", instances * HOURS
    yield "RDS", "storage", "rds.storage", instances * storage_gib
    # Backups up to the size of the storage are free.
    yield "RDS", "backups", "rds.backup", max(0.0, ledger_gib * BACKUP_SIZES - storage_gib)
    yield "RDS", "proxy", "rds.proxy", proxy if database["proxy_enabled"] else 0
    yield "ElastiCache", "nodes", f"valkey.{cache['node_type']}", cache["node_count"] * HOURS


def _functions(residents: int, active: float, sizes: Json, service: Json) -> Iterator[Quantity]:
    memory = {
        name: (function | sizes["functions"].get(name, {}))["memory_mib"]
        for name, function in service["functions"].items()
    }
    imports = residents * BILLS / 500
    # A sweep takes a second, and a tenth more for each queue that it looks at.
    sweep_seconds = SWEEPS + 0.1 * active * QUEUES
    work = sum(
        active * count * (SECONDS[name] + COLD_START_SECONDS) * memory[name]
        for name, count in REQUESTS.items()
    )
    work += sweep_seconds * memory["sweep"] + imports * 3 * memory["import_bills"]
    calls = active * sum(REQUESTS.values()) + imports + SWEEPS
    yield "Lambda", "requests", "lambda.request", calls
    yield "Lambda", "running time", "lambda.gb_second", work / 1024


def _alarms(sizes: Json, service: Json) -> int:
    functions, queues = len(service["functions"]), len(service["queues"]["requests"])
    nodes: int = sizes["cache"]["node_count"]
    quick = sum(one["database_role"] != "operator" for one in service["functions"].values())
    of_parts = functions * ALARMS_PER_FUNCTION + quick + queues * ALARMS_PER_QUEUE
    return int(of_parts + nodes * ALARMS_PER_NODE + OTHER_ALARMS)


def _methods() -> int:
    """Count the API's methods: each has detailed metrics, which are paid as custom ones."""
    text = (TERRAFORM / "modules" / "api" / "openapi.yaml").read_text(encoding="utf-8")
    paths = yaml.safe_load(text)["paths"].values()
    return sum(name in path for path in paths for name in ("get", "post", "delete", "options"))


def _read(file: Path) -> Json:
    content: Json = json.loads(file.read_text(encoding="utf-8"))
    return content


def by_service(lines: list[Line]) -> dict[str, float]:
    """Return the sum of each service in US dollars, the dearest first."""
    sums: dict[str, float] = {}
    for line in lines:
        sums[line.service] = sums.get(line.service, 0.0) + line.usd
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def table(region: str) -> str:
    """Return the table of docs/cost.md: a column for each tier."""
    bills = {tier: by_service(month(tier, region)) for tier in tiers()}
    services = bills[tiers()[-1]]
    rows = [[name, *(f"{bill.get(name, 0):,.0f}" for bill in bills.values())] for name in services]
    rows.append(["**All**", *(f"**{sum(bill.values()):,.0f}**" for bill in bills.values())])
    rows.append(["One resident", *(f"{sum(b.values()) / n:.3f}" for n, b in bills.items())])
    heading = ["USD a month", *(f"{tier:,} residents" for tier in bills)]
    return markdown.table(heading, rows, numbers=True)


@click.command()
@click.option("--residents", type=click.IntRange(min=1), default=1_000, show_default=True)
@click.option("--region", default="eu-central-1", show_default=True, help="A region with prices.")
def main(residents: int, region: str) -> None:
    """Print what a month of the service costs, in US dollars, line by line."""
    lines = month(residents, region)
    for line in lines:
        click.echo(f"{line.service:17}{line.what:25}{line.quantity:>17,.0f}{line.usd:>12,.2f}")
    click.echo(f"{'All':59}{sum(line.usd for line in lines):>12,.2f}")


if __name__ == "__main__":
    main()
