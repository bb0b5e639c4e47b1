"""The command `python -m tools.load.flood`: what one resident's flood does to another's payments.

Exit codes: 0 it was measured, 1 it could not be; see docs/load.md.
"""

from __future__ import annotations

import json
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import uuid4

import click
import httpx

from tools.load.report import Recording, latency
from tools.load.run import issue
from tools.load.target import Target, own_stack
from tools.load.users import User

# Payments of the quiet resident, one after the other, before the flood and during it.
_SAMPLES = 40
_THREADS = 8


def flood(target: Target, payments: int) -> dict[str, Any]:
    """Measure a quiet resident's payments alone, then behind so many payments of a noisy one.

    Raises:
        click.ClickException: a payment failed, or the flood was over before the measurement.
    """
    noisy, quiet = (
        User(resident, Recording(), api=target.api, timeout=120)
        for resident in target.residents[:2]
    )
    with closing(noisy), closing(quiet):
        for user, bills in ((noisy, payments), (quiet, 2 * _SAMPLES + 1)):
            user.login()
            issue(target, user, bills)
        _pay(quiet, 1)
        calm = _pay(quiet, _SAMPLES)
        _send_all(noisy, target.api)
        flooded = _pay(quiet, _SAMPLES)
        left = len(noisy.debts())
    if not left:
        raise click.ClickException("The flood ended before the measurement did: send more.")
    ratio = round(flooded["p50"] / calm["p50"], 2)
    return {"calm_ms": calm, "flooded_ms": flooded, "ratio": ratio, "flood_left": left}


def _pay(user: User, count: int) -> dict[str, Any]:
    samples = [user.call("pay", due=time.monotonic()) for _ in range(count)]
    failed = {one.outcome for one in samples} - {"done"}
    if failed:
        raise click.ClickException(f"Payments failed: {', '.join(sorted(failed))}")
    return latency(one.ended - one.due for one in samples)


def _send_all(user: User, api: str) -> None:
    """Send a payment for each bill of the user, and wait for no answer."""
    session, queue_name = user.client.session, str(uuid4())
    token = session.tokens.id_token if session else ""
    path = f"{api}/apartments/{user.resident.apartment_id}/payments"
    headers = {"Authorization": token}
    with httpx.Client(headers=headers) as http, ThreadPoolExecutor(_THREADS) as pool:

        def send(bill_id: str) -> None:
            body = {"bills_id": [bill_id], "queue_name": queue_name}
            while http.post(path, json=body).status_code != httpx.codes.ACCEPTED:
                time.sleep(0.1)

        deque(pool.map(send, [bill.bill_id for bill in user.bills]), maxlen=0)


@click.command()
@click.option("--payments", type=click.IntRange(1), default=1500, show_default=True)
def main(payments: int) -> None:
    """Measure a resident's payments, then again while another's flood waits to be worked off."""
    with own_stack() as target:
        click.echo(json.dumps(flood(target, payments)))


if __name__ == "__main__":
    main(prog_name="python -m tools.load.flood")
