"""How much of everything a month sees, from residents and the usage model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tools.costs.sizes import SERVICE, Sizes
from tools.costs.usage import HOURS, IDLE_POLLS, Inventory, Usage

CONTRACT = SERVICE.parent / "modules" / "api" / "openapi.yaml"
_METHODS = ("get", "post", "delete", "options")
_GIB_KB = 1024.0 * 1024.0


@dataclass(frozen=True)
class Traffic:
    """Quantities of a month."""

    residents: int
    usage: Usage
    inventory: Inventory
    sizes: Sizes

    @property
    def active(self) -> float:
        """Residents who log in."""
        return self.residents * self.usage.active_share

    @cached_property
    def operations(self) -> dict[str, float]:
        """Requests that reach a function, by operation."""
        return {name: self.active * each for name, each in self.usage.operations.items()}

    @property
    def requests(self) -> float:
        """Requests that reach a function."""
        return sum(self.operations.values())

    @property
    def api_requests(self) -> float:
        """Requests to the API: the POST, its polls, the DELETE, what browsers ask before."""
        each = 2 + self.usage.polls_per_operation + self.usage.preflights_per_operation
        return self.requests * each

    @property
    def sent_gb(self) -> float:
        """Gigabytes that the API sends."""
        return self.api_requests * self.usage.response_kilobytes / 1e6

    @property
    def invocations(self) -> float:
        """Runs of functions, the sweeper's and the importer's included."""
        imports = self.residents * self.usage.bills / 500
        return self.requests + imports + self.inventory.sweeps_per_hour * HOURS

    @property
    def gb_seconds(self) -> float:
        """Running time of functions, weighed by memory."""
        work = sum(
            count
            * (self.usage.seconds[name] + self.usage.cold_share * self.usage.cold_seconds)
            * self.sizes.memory_mib[name]
            for name, count in self.operations.items()
        )
        sweeps = self.inventory.sweeps_per_hour * HOURS * self._sweep_seconds
        imports = (
            self.residents * self.usage.bills / 500 * 3 * self.sizes.memory_mib["import_bills"]
        )
        return (work + sweeps * self.sizes.memory_mib["sweep"] + imports) / 1024

    @property
    def sqs_requests(self) -> float:
        """Requests to SQS by gateway, event source mappings, functions and sweeper."""
        # The request and its reply: each is sent, received (by polls) and deleted.
        each = 5 + self.usage.polls_per_operation
        # Made; looked at twice and deleted by the sweeper.
        queues = self.reply_queues * 4
        idle = self.inventory.idle_pollers * IDLE_POLLS * len(self.usage.operations)
        return self.requests * each + queues + idle

    @property
    def reply_queues(self) -> float:
        """Reply queues made: one for the login and one after it in each session."""
        return self.active * self.usage.sessions * 2

    @property
    def logs_gb(self) -> float:
        """Gigabytes of logs of functions, gateway and network."""
        bytes_each = self.usage.function_log_bytes + self.usage.flow_log_bytes
        gateway = self.api_requests * self.usage.access_log_bytes
        return (self.requests * bytes_each + gateway) / 1e9

    @property
    def endpoint_gb(self) -> float:
        """Gigabytes through the interface endpoints: requests and replies of SQS, logins."""
        return self.requests * 3 * self.usage.response_kilobytes / 1e6

    @property
    def books_gib(self) -> float:
        """Size of the books at the age that the model names."""
        bills = self.residents * self.usage.bills * self.usage.books_months
        return bills * self.usage.books_kilobytes / _GIB_KB

    def backup_gib(self, storage_gib: float) -> float:
        """Return backups beyond the storage's own size, which is free."""
        return max(0.0, self.books_gib * self.usage.backup_sizes - storage_gib)

    @property
    def metrics(self) -> float:
        """Metrics by method: API Gateway's detailed ones are paid as custom metrics."""
        contract = yaml.safe_load(Path(CONTRACT).read_text(encoding="utf-8"))
        methods = sum(method in item for item in contract["paths"].values() for method in _METHODS)
        return float(methods * self.inventory.gateway_metrics)

    @property
    def alarms(self) -> float:
        """Alarms of the module observability."""
        service = json.loads(SERVICE.read_text(encoding="utf-8"))
        queues = service["queues"]["requests"].values()
        roles = [function["database_role"] for function in service["functions"].values()]
        per = self.inventory
        return float(
            len(roles) * per.alarms_per_function
            + sum(role != "operator" for role in roles) * per.alarms_per_quick_function
            + len(queues) * per.alarms_per_queue_function
            + sum(queue["dead_letters"] for queue in queues) * per.alarms_per_dead_letter_queue
            + self.sizes.nodes * per.alarms_per_cache_node
            + per.alarms_of_their_own
        )

    @property
    def _sweep_seconds(self) -> float:
        """Seconds of one sweep: a tenth for each queue that it looks at."""
        sweeps = self.inventory.sweeps_per_hour * HOURS
        return 1.0 + 0.1 * self.reply_queues / sweeps
