"""Makes the zip of the functions from Chalice's: only what is needed, compiled, always the same."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from tools.package.bytecode import compile_folder
from tools.package.contents import is_needed

# The earliest date that a zip can hold. One date for all: the same input gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
# A regular file that everybody may read and run, and nobody write.
_MODE = 0o100555 << 16
_UNIX = 3


def build_archive(*, source: Path, target: Path) -> None:
    """Write the package of `source`, Chalice's zip, to `target`.

    Raises:
        PackagingError: a module does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _unpack(source, folder)
        compile_folder(folder)
        _pack(folder, target)


def _unpack(source: Path, folder: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        needed = [name for name in archive.namelist() if is_needed(name)]
        archive.extractall(folder, members=needed)


def _pack(folder: Path, target: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    target.unlink(missing_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in files:
            archive.writestr(_entry(str(file.relative_to(folder))), file.read_bytes())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = _MODE
    entry.create_system = _UNIX
    return entry
