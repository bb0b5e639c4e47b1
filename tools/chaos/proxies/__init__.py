"""Proxies between the service and its servers. They inject faults, and see requests' named steps.

    with PostgresProxy(port) as postgres, postgres.watching(kill_the_payer):
        postgres.hang()
        ...
        postgres.restore()

`STEPS` are the named steps of a request, in their order.
"""

from __future__ import annotations

from tools.chaos.proxies.aws import Answer, AwsProxy, Call, Forward, Rule
from tools.chaos.proxies.postgres import PostgresProxy
from tools.chaos.proxies.redis import ChangeAnswer, RedisProxy
from tools.chaos.proxies.tcp import Line, Proxy, StepEvent, Watcher

STEPS = ("received", "before_payment", "in_commit", "committed", "replied", "before_delete")

__all__ = [
    "STEPS",
    "Answer",
    "AwsProxy",
    "Call",
    "ChangeAnswer",
    "Forward",
    "Line",
    "PostgresProxy",
    "Proxy",
    "RedisProxy",
    "Rule",
    "StepEvent",
    "Watcher",
]
