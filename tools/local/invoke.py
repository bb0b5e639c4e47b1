"""Call a function of app.py once: `python -m tools.local.invoke reconcile '{"from": ...}'`."""

from __future__ import annotations

import json
import os

import click

from tools.local.cloud import environment, read_cloud
from tools.local.lambda_events import LambdaContext
from tools.local.worker import load_function

_TIMEOUT_SECONDS = 900.0


@click.command()
@click.argument("function")
@click.argument("event", default="{}")
def main(function: str, event: str) -> None:
    """Call FUNCTION with its environment and EVENT (JSON), and print its answer as JSON."""
    os.environ.update(environment(function))
    context = LambdaContext(
        function_name=function, region=read_cloud().region, timeout_seconds=_TIMEOUT_SECONDS
    )
    answer = load_function(function)(json.loads(event), context)
    click.echo(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
