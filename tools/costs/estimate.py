"""A month's bill, line by line: quantities by the usage model, times prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.costs.prices import Prices
from tools.costs.sizes import Sizes
from tools.costs.traffic import Traffic
from tools.costs.usage import HOURS, Inventory, Usage

# RDS Proxy is paid by the vCPUs of the instance behind it.
_PROCESSORS = {"medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8}


@dataclass(frozen=True)
class Line:
    """One line of the bill: `quantity` of the priced thing, and US dollars a month."""

    service: str
    what: str
    price: str
    quantity: float
    usd: float


@dataclass(frozen=True)
class Estimate:
    """The bill of a month."""

    residents: int
    region: str
    sizes: Sizes
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """The sum in US dollars."""
        return sum(line.usd for line in self.lines)

    def by_service(self) -> dict[str, float]:
        """Return US dollars by service, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.service] = sums.get(line.service, 0.0) + line.usd
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


def estimate(
    *,
    residents: int,
    region: str,
    prices: Prices,
    sizes: Sizes,
    usage: Usage,
    inventory: Inventory,
) -> Estimate:
    """Return the bill of a month.

    Raises:
        PriceUnknown: the table has no price of something in this region.
    """
    traffic = Traffic(residents=residents, usage=usage, inventory=inventory, sizes=sizes)
    quantities = [
        *_data(sizes, traffic),
        *_requests(sizes, traffic),
        *_watching(traffic),
        *_keeping(sizes, inventory, traffic),
    ]
    lines = [
        Line(service, what, price, quantity, prices[price].of(quantity, region=region))
        for service, what, price, quantity in quantities
    ]
    return Estimate(residents, region, sizes, tuple(line for line in lines if line.quantity))


Quantity = tuple[str, str, str, float]


def _data(sizes: Sizes, traffic: Traffic) -> Iterator[Quantity]:
    servers = 2 if sizes.standby else 1
    stored = max(float(sizes.storage_gib), traffic.books_gib)
    size = sizes.instance_class.rpartition(".")[2]
    yield "RDS", "instances", f"rds.{sizes.instance_class}", servers * HOURS
    yield "RDS", "storage", "rds.storage", servers * stored
    yield "RDS", "backups beyond the free size", "rds.backup", traffic.backup_gib(stored)
    yield "RDS", "proxy", "rds.proxy", _PROCESSORS[size] * HOURS if sizes.proxy else 0
    yield "ElastiCache", "nodes", f"valkey.{sizes.node_type}", sizes.nodes * HOURS


def _requests(sizes: Sizes, traffic: Traffic) -> Iterator[Quantity]:
    yield "Cognito", "residents", f"cognito.{sizes.identity_tier.lower()}", traffic.active
    yield "API Gateway", "requests", "gateway.request", traffic.api_requests
    yield "API Gateway", "data sent", "transfer.out", traffic.sent_gb
    yield "Lambda", "requests", "lambda.request", traffic.invocations
    yield "Lambda", "running time", "lambda.gb_second", traffic.gb_seconds
    yield "SQS", "requests", "sqs.request", traffic.sqs_requests
    yield "WAF", "requests", "waf.request", traffic.api_requests


def _watching(traffic: Traffic) -> Iterator[Quantity]:
    yield "CloudWatch", "logs taken in", "logs.ingested", traffic.logs_gb
    yield "CloudWatch", "logs kept", "logs.stored", traffic.logs_gb * traffic.usage.log_months
    yield "CloudWatch", "metrics of API methods", "metrics.custom", traffic.metrics
    yield "CloudWatch", "alarms", "alarms", traffic.alarms
    yield "CloudWatch", "dashboard", "dashboards", traffic.inventory.dashboards
    yield "X-Ray", "traces", "xray.trace", traffic.api_requests * traffic.usage.traced_share


def _keeping(sizes: Sizes, inventory: Inventory, traffic: Traffic) -> Iterator[Quantity]:
    hours = inventory.endpoints * sizes.zones * HOURS
    yield "VPC endpoints", "hours", "endpoint.hour", hours
    yield "VPC endpoints", "data", "endpoint.gb", traffic.endpoint_gb
    yield "KMS", "keys", "kms.key", inventory.keys
    yield "Secrets Manager", "secrets", "secrets.secret", inventory.secrets
    yield "WAF", "list", "waf.acl", 1
    yield "WAF", "rules", "waf.rule", inventory.firewall_rules
