"""What the environment decides about the local stack, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.local.errors import LocalStackError
from tools.local.service import service

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT_ID = "123456789012"
# Any will do for moto. A real endpoint gets the developer's own, found the way boto3 finds them.
LOCAL_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
# Two payments at once, so that their races can be met here; every other queue has one worker.
_MORE_WORKERS = {"payments": 2}


def default_workers() -> dict[str, int]:
    """Return how many workers each queue of terraform/service.json gets."""
    return {queue: _MORE_WORKERS.get(queue, 1) for queue in service().queues}


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
    time_zone: str = "UTC"
    function_timeout_seconds: int | None = None
    sweep_seconds: int = 60
    workers: Mapping[str, int] = field(default_factory=default_workers)
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

    Raises:
        LocalStackError: A variable, which the text names, has a value that can't be used.
    """
    values = os.environ if environ is None else environ
    timeout = "BILLING_FUNCTION_TIMEOUT"
    return Settings(
        state=state_folder(values),
        port=_number(values, "PORT", 8000),
        prefix=values.get("BILLING_PREFIX") or "bill-local",
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION") or "eu-central-1",
        time_zone=values.get("BILLING_TIME_ZONE") or "UTC",
        function_timeout_seconds=_number(values, timeout, 0) if values.get(timeout) else None,
        sweep_seconds=_number(values, "BILLING_SWEEP_SECONDS", 60),
        workers=_workers(values),
        durable=values.get("BILLING_DURABLE", "1") != "0",
        throttle_share=_share(values, "BILLING_THROTTLE_SHARE"),
        database_url=values.get("DATABASE_URL") or None,
        redis_url=values.get("REDIS_URL") or None,
        aws_endpoint_url=values.get("AWS_ENDPOINT_URL") or None,
    )


def state_folder(values: Mapping[str, str]) -> Path:
    """Find the folder that holds all state: BILLING_STATE, or `.local` in the checkout."""
    return Path(values.get("BILLING_STATE") or REPOSITORY / ".local").resolve()


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LocalStackError(f"{name} must be a whole number from 1 to 65535, not {text!r}.")
    return int(text)


def _share(values: Mapping[str, str], name: str) -> float:
    text = values.get(name) or "1"
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < float("inf"):
        raise LocalStackError(f"{name} must be a number above 0, not {text!r}.")
    return share


def _workers(values: Mapping[str, str]) -> dict[str, int]:
    """Worker processes by function, e.g. `BILLING_WORKERS=payments=4,utils=2`."""
    workers = default_workers()
    for part in filter(None, values.get("BILLING_WORKERS", "").split(",")):
        function, _, count = part.strip().partition("=")
        if function not in workers or not count.isdecimal() or int(count) < 1:
            raise LocalStackError(
                f"BILLING_WORKERS has {part!r}; write e.g. payments=2,utils=1 (functions:"
                f" {', '.join(workers)})."
            )
        workers[function] = int(count)
    return workers
