"""One torture run: start everything, let people live in it while faults strike, drain, judge."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tools.chaos.clock import clean_up
from tools.chaos.conductor import Conductor
from tools.chaos.errors import NotStarted
from tools.chaos.faults import Stage
from tools.chaos.judge import Verdict, assess, load
from tools.chaos.plan import plan
from tools.chaos.servers import Servers
from tools.chaos.service import Service
from tools.chaos.show import Show
from tools.chaos.world.canaries import Canaries
from tools.chaos.world.evidence import Queues, collect
from tools.chaos.world.recorder import Recorder
from tools.chaos.world.world import UserPool, World

# To compare with: how it is before any fault, and when what they leave behind is over.
_QUIET_SECONDS = 6.0
_AFTERMATH_SECONDS = 8.0
# A message comes back after six function timeouts, and is dead after its last receive.
_RECEIVES = 3
_SLACK_SECONDS = 60.0
_OPERATIONS = ("utils", "histories", "payments")
_WARM_REPLIES = 6
_WARM_SECONDS = 120.0


@dataclass(frozen=True)
class Wishes:
    """How long faults strike, by which seed, which ones (all when empty), and on how many."""

    seconds: float
    seed: int
    only: Sequence[str] = ()
    clients: int = 8


class CountingRecorder(Recorder):
    """A recorder that also counts replies by operation."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__(path, clock)
        self.replies: Counter[str] = Counter()

    def record(self, e: str, **fields: Any) -> None:
        """Write an event down."""
        super().record(e, **fields)
        if e == "reply":
            self.replies[str(fields["op"])] += 1


class Run:
    """A run in a folder of its own, which keeps ``history.jsonl`` and ``final.json``."""

    def __init__(self, folder: Path, wishes: Wishes, show: Show) -> None:
        self._folder = folder
        self._wishes = wishes
        self._show = show
        self._struck: Counter[str] = Counter()

    def judged(self) -> Verdict:
        """Do it all and return the verdict.

        Raises LocalCloudError, NotStarted and NotPrepared when the run could not take place.
        """
        started = time.monotonic()
        recorder = CountingRecorder(
            self._folder / "history.jsonl", lambda: time.monotonic() - started
        )
        with (
            closing(recorder) as self._recorder,
            closing(Canaries(self._folder / "secrets.jsonl")) as self._canaries,
            self._stage() as stage,
        ):
            self._live(stage)
        self._show.say("Judging")
        return assess(load(self._folder / "history.jsonl", self._folder / "final.json"))

    @contextmanager
    def _stage(self) -> Iterator[Stage]:
        self._show.say("Starting the servers, and the service behind their proxies")
        servers = Servers(self._folder / "servers")
        service: Service | None = None
        try:
            servers.start()
            service = Service(self._folder / "service", servers.variables())
            service.start()
            yield Stage(servers, service)
        finally:
            if service is not None:
                service.stop()
            servers.stop()
            clean_up()

    def _live(self, stage: Stage) -> None:
        queues = Queues(stage.servers.aws.clients().sqs, stage.service.cloud.prefix)
        world = self._world(stage, queues)
        self._show.say(f"A function may take {stage.service.timeout_seconds} s on this machine")
        self._show.say(f"Making people and bills for {self._wishes.clients} clients")
        world.prepare()
        world.start()
        self._wait_until_warm()
        time.sleep(_QUIET_SECONDS)
        self._strike(stage)
        time.sleep(_AFTERMATH_SECONDS)
        self._show.say("Waiting for every answer")
        world.stop()
        stage.service.wait_until_healthy()
        world.settle(within_seconds=_RECEIVES * 6 * stage.service.timeout_seconds + _SLACK_SECONDS)
        world.close()
        self._show.say("Collecting what is left")
        self._collect(stage, queues)

    def _wait_until_warm(self) -> None:
        """Wait for some answers of each kind: cold starts are slow, and no fault is to blame."""
        deadline = time.monotonic() + _WARM_SECONDS
        while any(self._recorder.replies[op] < _WARM_REPLIES for op in _OPERATIONS):
            if time.monotonic() > deadline:
                raise NotStarted(f"Too few answers came: {dict(self._recorder.replies)}")
            time.sleep(0.1)

    def _strike(self, stage: Stage) -> None:
        strokes = plan(self._wishes.seed, self._wishes.seconds, only=self._wishes.only)
        self._show.say(f"{len(strokes)} faults in {self._wishes.seconds:.0f} s")
        self._recorder.record("phase", name="faults_begin")
        try:
            conductor = Conductor(stage, self._note, reachable=stage.service.is_reachable)
            conductor.play(strokes, seconds=self._wishes.seconds)
        finally:
            stage.servers.restore()
        self._recorder.record("phase", name="faults_end")
        self._show.say(f"{self._struck.total()} faults of {len(self._struck)} kinds have struck")

    def _note(self, name: str, phase: str, at: dict[str, Any]) -> None:
        self._recorder.record("fault", name=name, phase=phase, at=at)
        if phase == "begin":
            self._struck[name] += 1
        details = " ".join(f"{key}={value}" for key, value in at.items())
        self._show.say(f"{'  ' if phase == 'end' else '→ '}{name} {phase} {details}")

    def _world(self, stage: Stage, queues: Queues) -> World:
        cloud = stage.service.cloud
        return World(
            base_url=stage.service.base_url,
            pool=UserPool(stage.servers.aws.clients().cognito, cloud.user_pool_id),
            office=_office(stage),
            recorder=self._recorder,
            canaries=self._canaries,
            rng=random.Random(self._wishes.seed),
            clients=self._wishes.clients,
            dead_requests=queues.dead_requests,
        )

    def _collect(self, stage: Stage, queues: Queues) -> None:
        collect(
            owner=stage.servers.postgres.connect,
            queues=queues,
            logs=[stage.service.logs, stage.service.log, stage.servers.postgres.log],
            secrets=self._folder / "secrets.jsonl",
            into=self._folder,
        )


def _office(stage: Stage) -> Callable[[], Connection]:
    """Return who connects as an operator, straight to the database."""
    password = stage.service.role_passwords()["operator"]
    return partial(stage.servers.postgres.connect, "billing_operator", password)
