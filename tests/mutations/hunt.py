"""The hunt: first the tests pass without any bug, then each bug must make one of them fail."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.copies import copy_again, copy_tracked
from tests.mutations.mutant import Mutation
from tests.mutations.runs import Run, run_tests
from tools.local.postgres import EmbeddedPostgres

MUTANT_SECONDS = 60.0
_ALL_SECONDS = 300.0

Tell = Callable[[Mutation, Run], None]


class Hunt:
    """Copies, and one database server that all runs share."""

    def __init__(self, folder: Path, database_url: str, jobs: int) -> None:
        self._folder = folder
        self._database_url = database_url
        self._jobs = jobs
        self._clean = copy_tracked(folder / "clean")

    def check(self, mutants: Sequence[Mutation]) -> None:
        """See that every mutant fits the code; raises `DoesNotFit` for the first that doesn't."""
        for mutant in mutants:
            mutant.mutated(self._clean)

    def without_bugs(self, mutants: Sequence[Mutation]) -> Run:
        """Run all of the tests that the mutants name, on a copy without any bug."""
        tests = sorted({test for mutant in mutants for test in mutant.caught_by})
        return run_tests(
            self._clean,
            tests,
            seconds=_ALL_SECONDS,
            database_url=self._database_url,
            workers=self._jobs,
        )

    def with_each(self, mutants: Sequence[Mutation], tell: Tell) -> dict[str, Run]:
        """Run each mutant's tests on a copy with its bug; returns the runs by name."""
        runs: dict[str, Run] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            waiting = {pool.submit(self._with, mutant): mutant for mutant in mutants}
            for future in as_completed(waiting):
                mutant = waiting[future]
                runs[mutant.name] = future.result()
                tell(mutant, runs[mutant.name])
        return runs

    def _with(self, mutant: Mutation) -> Run:
        with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder:
            copy = copy_again(self._clean, Path(folder) / "copy")
            mutant.plant(copy)
            return run_tests(
                copy, mutant.caught_by, seconds=MUTANT_SECONDS, database_url=self._database_url
            )


@contextmanager
def hunting(jobs: int) -> Iterator[Hunt]:
    """Give a hunt with a folder and a database server of its own, both gone in the end."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            yield Hunt(folder, postgres.superuser_url, jobs)
        finally:
            postgres.destroy()


def clock() -> Callable[[], float]:
    """Return what tells the seconds since now."""
    started = time.monotonic()
    return lambda: time.monotonic() - started
