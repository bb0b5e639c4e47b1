"""The service's own processes: workers, the scheduler and the gateway."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tools.local import processes
from tools.local.children import Child, Process
from tools.local.cloud import Cloud, environment_of
from tools.local.ready import is_ready
from tools.local.servers import listens
from tools.local.settings import REPOSITORY, Settings
from tools.local.state import StateFolder

# The gateway ends first, so that nothing new comes in; then whoever works on what is there.
_GATEWAY_STOPS = 3
_WORKERS_STOP = 2
# A worker that was asked to end finishes its event. One that is cut off loses nothing: the message
# comes back.
_LONGEST_GRACE_SECONDS = 7.0


def worker_names(settings: Settings) -> list[str]:
    """Names of all processes that say when they are ready: workers, numbered, and scheduler."""
    workers = settings.workers.items()
    return [f"{name}-{n + 1}" for name, count in workers for n in range(count)] + ["sweep"]


def worker_children(settings: Settings, folder: StateFolder, cloud: Cloud) -> list[Child]:
    """Describe the workers of all queues and the scheduler."""
    return [_worker_child(settings, folder, cloud, name) for name in worker_names(settings)]


def gateway_child(settings: Settings, folder: StateFolder, cloud: Cloud) -> Child:
    """Describe the process that answers HTTP."""
    variables = {"PORT": str(settings.port), "BILLING_STATE": str(folder.path)}
    log = folder.logs / "gateway.log"
    return Child(
        name="gateway",
        start=_starter(
            [sys.executable, "-m", "tools.local.front"],
            environment=function_environment(cloud, "gateway") | variables,
            log=log,
        ),
        log=log,
        is_ready=lambda: listens(cloud.api),
        stop_group=_GATEWAY_STOPS,
        grace_seconds=3.0,
    )


def function_environment(cloud: Cloud, function: str) -> dict[str, str]:
    """The whole environment of a process that runs a function: ours and the function's own."""
    # Settings of the developer's own AWS account have no business with embedded services.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not (cloud.aws_is_embedded and name.startswith("AWS_"))
    }
    return inherited | environment_of(cloud, function) | {"PYTHONUNBUFFERED": "1"}


def _worker_child(settings: Settings, folder: StateFolder, cloud: Cloud, name: str) -> Child:
    function = name.partition("-")[0]
    ready_file, log = folder.run / f"{name}.json", folder.logs / f"{name}.log"
    return Child(
        name=name,
        start=_starter(
            _command(settings, function, ready_file),
            environment=function_environment(cloud, function),
            log=log,
        ),
        log=log,
        is_ready=lambda: is_ready(ready_file),
        stop_group=_WORKERS_STOP,
        stop_signal=signal.SIGTERM,
        grace_seconds=min(settings.timeout_seconds(function), _LONGEST_GRACE_SECONDS),
    )


def _command(settings: Settings, function: str, ready_file: Path) -> list[str]:
    if function == "sweep":
        module = [sys.executable, "-m", "tools.local.scheduler"]
        return [*module, "--every", str(settings.sweep_seconds), "--ready-file", str(ready_file)]
    return [
        *(sys.executable, "-m", "tools.local.worker", "--function", function),
        *("--timeout", str(settings.timeout_seconds(function))),
        *("--ready-file", str(ready_file)),
    ]


def _starter(
    command: list[str], *, environment: dict[str, str], log: Path
) -> Callable[[], Process]:
    def start() -> Process:
        return processes.spawn(command, log=log, environment=environment, folder=REPOSITORY)

    return start
