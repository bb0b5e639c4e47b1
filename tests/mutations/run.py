"""Runs mutations: the tests pass without any bug, then each bug must make one of them fail."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.mutation import Mutation
from tests.mutations.pytest_run import PytestRun, run_tests
from tools.local.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
_MUTATION_SECONDS = 60.0
_ALL_SECONDS = 300.0


class MutationRun:
    """Copies of the checkout, and one database server that all runs share.

    A bug is never planted in the checkout itself.
    """

    def __init__(self, folder: Path, database_url: str, jobs: int) -> None:
        self._folder = folder
        self._database_url = database_url
        self._jobs = jobs
        self._clean = copy_tracked(folder / "clean")

    def without_bugs(self, mutations: Sequence[Mutation]) -> PytestRun:
        """Run all of the tests that the mutations name on a copy without any bug.

        Raises:
            DoesNotFit: A mutation doesn't fit the code.
        """
        for mutation in mutations:
            mutation.mutated(self._clean)
        tests = sorted({test for mutation in mutations for test in mutation.caught_by})
        return run_tests(
            self._clean,
            tests,
            seconds=_ALL_SECONDS,
            database_url=self._database_url,
            workers=self._jobs,
        )

    def with_each(self, mutations: Sequence[Mutation]) -> Iterator[tuple[Mutation, PytestRun]]:
        """Run each mutation's tests on a copy with its bug; give the runs as they end."""
        with ThreadPoolExecutor(self._jobs) as pool:
            waiting = {pool.submit(self._with, mutation): mutation for mutation in mutations}
            for future in as_completed(waiting):
                yield waiting[future], future.result()

    def _with(self, mutation: Mutation) -> PytestRun:
        with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder:
            # With the bytecode that the clean copy has by now.
            copy = Path(shutil.copytree(self._clean, Path(folder) / "copy", symlinks=True))
            mutation.plant(copy)
            return run_tests(
                copy,
                mutation.caught_by,
                seconds=_MUTATION_SECONDS,
                database_url=self._database_url,
            )


@contextmanager
def mutation_run(jobs: int) -> Iterator[MutationRun]:
    """Give a run with a folder and a database server of its own; both are removed in the end."""
    with tempfile.TemporaryDirectory(prefix="mutations-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            yield MutationRun(folder, postgres.superuser_url, jobs)
        finally:
            postgres.destroy()


def copy_tracked(into: Path) -> Path:
    """Copy the tracked files as they are now, edited or not; links stay links."""
    names = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).exists():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name, follow_symlinks=False)
    return into
