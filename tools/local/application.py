"""The service's own processes: workers, the scheduler and the gateway."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
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


class Application(Child):
    """A process that runs a module of ours with the environment of a function."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        logs: Path,
        is_ready: Callable[[], bool],
    ) -> None:
        super().__init__(name, logs / f"{name}.log")
        self._command, self._environment = [sys.executable, "-m", *arguments], environment
        self._is_ready = is_ready

    def spawn(self) -> processes.Process:
        """Start the process without waiting for it."""
        return processes.spawn(
            self._command, log=self.log, environment=self._environment, folder=REPOSITORY
        )

    def is_ready(self) -> bool:
        """Tell whether it does its work."""
        return self._is_ready()


def application_children(settings: Settings, folder: StateFolder, cloud: Cloud) -> list[Child]:
    """Describe the workers of all queues, the scheduler and the process that answers HTTP."""
    workers = [_worker(settings, folder, cloud, name) for name in worker_names(settings)]
    variables = {"PORT": str(settings.port), "BILLING_STATE": str(folder.path)}
    gateway = Application(
        "gateway",
        ["tools.local.gateway"],
        environment=function_environment(cloud, "gateway") | variables,
        logs=folder.logs,
        is_ready=lambda: processes.listens(cloud.api),
    )
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
    arguments = ["tools.local.worker", function, "--ready-file", str(ready_file)]
    if function in settings.workers:
        arguments += ["--timeout", str(timeout)]
    else:
        arguments += ["--every", str(settings.sweep_seconds)]
    child = Application(
        name,
        arguments,
        environment=function_environment(cloud, function),
        logs=folder.logs,
        is_ready=lambda: is_ready(ready_file),
    )
    child.stop_group = _WORKERS_STOP
    child.grace_seconds = min(timeout, _LONGEST_GRACE_SECONDS)
    return child
