"""The service's own processes: workers, the scheduler and the gateway."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.local import processes
from tools.local.children import Child
from tools.local.cloud import Cloud, environment_of
from tools.local.files import is_ready
from tools.local.settings import REPOSITORY, Settings
from tools.local.state import StateFolder

# The gateway ends first, so that nothing new comes in; then whoever works on what is there.
_GATEWAY_STOPS, _WORKERS_STOP = 3, 2
# A worker that was asked to end finishes its event. One that is cut off loses nothing: the message
# comes back.
_LONGEST_GRACE_SECONDS = 7.0


def worker_names(settings: Settings) -> list[str]:
    """Names of all processes that say when they are ready: workers, numbered, and scheduler."""
    workers = settings.workers.items()
    return [f"{name}-{n + 1}" for name, count in workers for n in range(count)] + ["sweep"]


def application_children(settings: Settings, folder: StateFolder, cloud: Cloud) -> list[Child]:
    """Describe the workers of all queues, the scheduler and the process that answers HTTP."""
    workers = [_worker(settings, folder, cloud, name) for name in worker_names(settings)]
    variables = {"PORT": str(settings.port), "BILLING_STATE": str(folder.path)}
    gateway = _child(
        "gateway",
        [sys.executable, "-m", "tools.local.gateway"],
        environment=function_environment(cloud, "gateway") | variables,
        logs=folder.logs,
    )
    gateway.is_ready = lambda: processes.listens(cloud.api)
    gateway.stop_group, gateway.grace_seconds = _GATEWAY_STOPS, 3.0
    return [*workers, gateway]


def function_environment(cloud: Cloud, function: str) -> dict[str, str]:
    """The whole environment of a process that runs a function: ours and the function's own."""
    # Settings of the developer's own AWS account have no business with embedded services.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not (cloud.aws_is_embedded and name.startswith("AWS_"))
    }
    return inherited | environment_of(cloud, function) | {"PYTHONUNBUFFERED": "1"}


def _worker(settings: Settings, folder: StateFolder, cloud: Cloud, name: str) -> Child:
    function, ready_file = name.partition("-")[0], folder.run / f"{name}.json"
    timeout = settings.timeout_seconds(function)
    command = [sys.executable, "-m", "tools.local.worker", function]
    command += ["--ready-file", str(ready_file)]
    if function in settings.workers:
        command += ["--timeout", str(timeout)]
    else:
        command += ["--every", str(settings.sweep_seconds)]
    environment = function_environment(cloud, function)
    child = _child(name, command, environment=environment, logs=folder.logs)
    child.is_ready = lambda: is_ready(ready_file)
    child.grace_seconds = min(timeout, _LONGEST_GRACE_SECONDS)
    return child


def _child(name: str, command: list[str], *, environment: dict[str, str], logs: Path) -> Child:
    log = logs / f"{name}.log"

    def start() -> processes.Process:
        return processes.spawn(command, log=log, environment=environment, folder=REPOSITORY)

    return Child(name=name, start=start, log=log, is_ready=lambda: True, stop_group=_WORKERS_STOP)
