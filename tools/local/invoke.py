"""Call a function of app.py once: ``python -m tools.local.invoke reconcile '{"from": ...}'``."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from tools.local.cloud import environment, read_cloud
from tools.local.lambda_events import LambdaContext
from tools.local.worker import load_function

_TIMEOUT_SECONDS = 900.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Call the function with its environment and print its answer as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tools.local.invoke")
    parser.add_argument("function")
    parser.add_argument("event", nargs="?", default="{}", help="the event as JSON")
    options = parser.parse_args(arguments)
    os.environ.update(environment(options.function))
    context = LambdaContext(
        function_name=options.function,
        region=read_cloud().region,
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    answer = load_function(options.function)(json.loads(options.event), context)
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
