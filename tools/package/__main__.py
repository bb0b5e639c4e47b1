"""`python -m tools.package [--output FOLDER]`: build the package of the functions."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.package.archive import build_archive
from tools.package.bytecode import check_runtime
from tools.package.chalice_output import run_chalice
from tools.package.definition import fit
from tools.package.errors import PackagingError

PROJECT = Path(__file__).resolve().parents[2]
MODULE = PROJECT / "terraform" / "modules" / "functions"


def build(*, project: Path, output: Path) -> Path:
    """Write `deployment.zip` and `chalice.tf.json` into `output`; return the zip.

    Chalice makes them for the interpreter that runs it. `main` allows none but the runtime.

    Raises:
        PackagingError: the package can't be built.
    """
    output.mkdir(parents=True, exist_ok=True)
    archive = output / "deployment.zip"
    with tempfile.TemporaryDirectory() as folder:
        definition = run_chalice(project=project, folder=Path(folder))
        build_archive(source=Path(folder) / "deployment.zip", target=archive)
    text = json.dumps(fit(definition), indent=2, sort_keys=True)
    (output / "chalice.tf.json").write_text(text + "\n", encoding="utf-8")
    return archive


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the package and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m tools.package", description=__doc__)
    parser.add_argument("--output", type=Path, default=MODULE, help="folder to write into")
    options = parser.parse_args(arguments)
    service = json.loads((PROJECT / "terraform" / "service.json").read_text(encoding="utf-8"))
    try:
        check_runtime(service["runtime"])
        archive = build(project=PROJECT, output=options.output)
    except PackagingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
