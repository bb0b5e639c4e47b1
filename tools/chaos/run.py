"""One run: start everything, let clients use it while faults strike, drain, check."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tools.chaos.checker import Result, check, load
from tools.chaos.clock import clean_up
from tools.chaos.nemesis import Nemesis
from tools.chaos.schedule import schedule
from tools.chaos.servers import Servers
from tools.chaos.service import Service
from tools.chaos.workload.final_state import Queues, collect
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.workload import Workload
from tools.console import Console
from tools.local.errors import LocalStackError
from tools.local.files import read_json

# To compare with: how it is before any fault, and when what they leave behind is over.
_QUIET_SECONDS = 6.0
_AFTERMATH_SECONDS = 8.0
# A message comes back after six function timeouts, and is dead after its last receive.
_RECEIVES = 3
_SLACK_SECONDS = 60.0
_WARM_REPLIES = 6
_WARM_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """How long faults strike, by which seed, and which ones (all when empty)."""

    seconds: float
    seed: int
    only: Sequence[str] = ()


class Run:
    """A run in a folder of its own, which keeps `history.jsonl` and `final.json`."""

    def __init__(self, folder: Path, options: Options, console: Console) -> None:
        self._folder = folder
        self._options = options
        self._console = console
        self._counts: Counter[str] = Counter()

    def result(self) -> Result:
        """Do it all and return the checker's result.

        Raises:
            LocalStackError: The run could not take place.
        """
        started = time.monotonic()
        history = Recorder(self._folder / "history.jsonl", lambda: time.monotonic() - started)
        canaries = Canaries(self._folder / "secrets.jsonl")
        # The time of day at 0 s, which instants in answers are compared with.
        history.record("start", at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        with closing(history) as self._recorder, closing(canaries), self._started() as service:
            self._live(service, canaries)
        self._console.say("Checking")
        return check(load(self._folder))

    @contextmanager
    def _started(self) -> Iterator[Service]:
        self._console.say("Starting the servers, and the service behind their proxies")
        with ExitStack() as stack:
            stack.callback(clean_up)
            self._servers = Servers(self._folder / "servers")
            stack.callback(self._servers.stop)
            self._servers.start()
            service = Service(self._folder / "service", self._servers.variables())
            stack.callback(service.stop)
            service.start()
            yield service

    def _live(self, service: Service, canaries: Canaries) -> None:
        queues = Queues(self._servers.clients().sqs, service.cloud.prefix)
        password = read_json(service.state / "roles.json")["operator"]
        with closing(
            Workload(
                base_url=service.base_url,
                add_user=partial(self._servers.add_user, service.cloud.user_pool_id),
                connect=partial(self._servers.postgres.connect, "billing_operator", password),
                recorder=self._recorder,
                canaries=canaries,
                seed=f"{random.Random(self._options.seed).getrandbits(64):x}",
                dead_requests=queues.dead_requests,
            )
        ) as workload:
            self._console.say(f"A function may take {service.timeout_seconds} s on this machine")
            self._console.say("Making users and bills")
            workload.prepare()
            workload.start()
            self._wait_until_warm()
            time.sleep(_QUIET_SECONDS)
            self._inject_faults(service)
            time.sleep(_AFTERMATH_SECONDS)
            self._console.say("Waiting for every answer")
            workload.stop()
            service.wait_until_ready()
            longest = _RECEIVES * 6 * service.timeout_seconds
            workload.drain(within_seconds=longest + _SLACK_SECONDS)
        self._console.say("Collecting what is left")
        postgres_log = self._folder / "postgres.log"
        shutil.copyfile(self._servers.postgres.log, postgres_log)
        logs = [*(service.state / "logs").glob("*.log*"), service.log, postgres_log]
        collect(owner=self._servers.postgres.connect, queues=queues, logs=logs, folder=self._folder)

    def _wait_until_warm(self) -> None:
        """Wait for some answers of each kind: cold starts are slow, and no fault is to blame."""
        deadline, replies = time.monotonic() + _WARM_SECONDS, self._recorder.replies
        while min(replies[op] for op in ("utils", "histories", "payments")) < _WARM_REPLIES:
            if time.monotonic() > deadline:
                raise LocalStackError(f"Too few answers came: {dict(replies)}")
            time.sleep(0.1)

    def _inject_faults(self, service: Service) -> None:
        seconds = self._options.seconds
        faults = schedule(self._options.seed, seconds, only=self._options.only)
        self._console.say(f"{len(faults)} faults in {seconds:.0f} s")
        self._recorder.record("phase", name="faults_begin")
        try:
            Nemesis(self._servers, service, self._note).run(faults, seconds=seconds)
        finally:
            self._servers.restore()
        self._recorder.record("phase", name="faults_end")
        self._console.say(f"{self._counts.total()} faults of {len(self._counts)} kinds")

    def _note(self, name: str, phase: str, at: dict[str, Any]) -> None:
        self._recorder.record("fault", name=name, phase=phase, at=at)
        self._counts.update([name] if phase == "begin" else [])
        details = " ".join(f"{key}={value}" for key, value in at.items())
        self._console.say(f"{'  ' if phase == 'end' else '→ '}{name} {phase} {details}")
