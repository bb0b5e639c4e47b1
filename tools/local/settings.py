"""What the environment decides about the local cloud, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.local.errors import LocalCloudError
from tools.local.service import service

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT_ID = "123456789012"
# Any will do for moto. A real endpoint gets the developer's own, found the way boto3 finds them.
LOCAL_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
QUEUE_FUNCTIONS = tuple(service().queues)
# One for each queue; two payments at once, so that their races can be met here.
_MORE_WORKERS = {"payments": 2}


@dataclass(frozen=True)
class Settings:
    """Where state lives, how the parts are called and which of them are somebody else's.

    A URL that is None means: run the embedded server of that kind. A timeout that is None means:
    each function's own, as it is deployed.
    """

    state: Path
    port: int = 8000
    prefix: str = "bill-local"
    region: str = "eu-central-1"
    function_timeout_seconds: int | None = None
    sweep_seconds: int = 60
    workers: Mapping[str, int] = field(default_factory=lambda: default_workers())
    durable: bool = True
    throttle_share: float = 1.0
    database_url: str | None = None
    redis_url: str | None = None
    aws_endpoint_url: str | None = None

    def timeout_seconds(self, function: str) -> int:
        """How long a call of the function may take."""
        return self.function_timeout_seconds or service().functions[function].timeout_seconds

    def visibility_timeout_seconds(self, function: str) -> int:
        """How long a request that a worker holds stays hidden from the others.

        Lambda's rule: hidden for six function timeouts it can't come back under a live run.
        """
        return service().visibility_timeouts * self.timeout_seconds(function)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises LocalCloudError naming the variable whose value can't be used.
    """
    values = os.environ if environ is None else environ
    defaults = Settings(state=state_folder(values))
    return Settings(
        state=defaults.state,
        port=_number(values, "PORT", defaults.port),
        prefix=values.get("BILLING_PREFIX") or defaults.prefix,
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION") or defaults.region,
        function_timeout_seconds=_number(values, "BILLING_FUNCTION_TIMEOUT", 0)
        if values.get("BILLING_FUNCTION_TIMEOUT")
        else None,
        sweep_seconds=_number(values, "BILLING_SWEEP_SECONDS", defaults.sweep_seconds),
        workers=_workers(values),
        durable=values.get("BILLING_DURABLE", "1") != "0",
        throttle_share=_share(values, "BILLING_THROTTLE_SHARE"),
        **_servers(values),
    )


def state_folder(values: Mapping[str, str]) -> Path:
    """Find the folder that holds all state: BILLING_STATE, or ``.local`` in the checkout."""
    return Path(values.get("BILLING_STATE") or REPOSITORY / ".local").resolve()


def _servers(values: Mapping[str, str]) -> dict[str, Any]:
    names = ("DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL")
    return {name.lower(): values.get(name) or None for name in names}


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LocalCloudError(f"{name} must be a whole number from 1 to 65535, not {text!r}.")
    return int(text)


def _share(values: Mapping[str, str], name: str) -> float:
    text = values.get(name) or "1"
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < float("inf"):
        raise LocalCloudError(f"{name} must be a number above 0, not {text!r}.")
    return share


def default_workers() -> dict[str, int]:
    """Return how many workers each queue of terraform/service.json gets."""
    return {queue: _MORE_WORKERS.get(queue, 1) for queue in service().queues}


def _workers(values: Mapping[str, str]) -> dict[str, int]:
    """Worker processes by function, e.g. ``BILLING_WORKERS=payments=4,utils=2``."""
    workers = default_workers()
    for part in filter(None, values.get("BILLING_WORKERS", "").split(",")):
        function, _, count = part.strip().partition("=")
        if function not in workers or not count.isdecimal() or int(count) < 1:
            raise LocalCloudError(
                f"BILLING_WORKERS has {part!r}; write e.g. payments=2,utils=1 (functions:"
                f" {', '.join(workers)})."
            )
        workers[function] = int(count)
    return workers
