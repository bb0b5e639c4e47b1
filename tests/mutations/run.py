"""Runs mutations: the tests pass without any bug, then each bug must make one of them fail."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.mutations.mutation import Mutation
from tests.mutations.pytest_run import PytestRun, run_tests
from tools.local.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
_MUTATION_SECONDS = 120.0
_ALL_SECONDS = 600.0


def run_mutations(
    mutations: Sequence[Mutation], jobs: int
) -> Generator[tuple[str, PytestRun], None, None]:
    """Give the run of all their tests without any bug, then each mutation's own as it ends.

    A bug is planted in a copy of the checkout, never in itself. Copies are removed when the
    iterator is closed, and so are the database server and the package of the functions, which all
    runs share.

    Raises:
        DoesNotFit: A mutation doesn't fit the code.
    """
    with tempfile.TemporaryDirectory(prefix="mutations-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            clean = copy_tracked(folder / "clean")
            shared = {
                "DATABASE_URL_TESTS": postgres.superuser_url,
                "BUILT_PACKAGE": str(folder / "package"),
            }
            for mutation in mutations:
                mutation.mutated(clean)
            tests = sorted({test for mutation in mutations for test in mutation.caught_by})
            yield (
                "without any bug",
                run_tests(clean, tests, seconds=_ALL_SECONDS, shared=shared, workers=jobs),
            )
            with ThreadPoolExecutor(jobs) as pool:
                waiting = {pool.submit(_run, one, clean, shared): one for one in mutations}
                for future in as_completed(waiting):
                    yield str(waiting[future]), future.result()
        finally:
            postgres.destroy()


def _run(mutation: Mutation, clean: Path, shared: Mapping[str, str]) -> PytestRun:
    """Run a mutation's tests on a copy with its bug, beside the clean one."""
    with tempfile.TemporaryDirectory(dir=clean.parent, ignore_cleanup_errors=True) as folder:
        # With the bytecode that the clean copy has by now.
        copy = Path(shutil.copytree(clean, Path(folder) / "copy", symlinks=True))
        mutation.plant(copy)
        return run_tests(copy, mutation.caught_by, seconds=_MUTATION_SECONDS, shared=shared)


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
