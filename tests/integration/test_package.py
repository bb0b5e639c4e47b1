"""What is in the package, what it weighs and how it starts."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import marshal
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tools.package import __main__ as package_command
from tools.package.__main__ import PROJECT, build
from tools.package.bytecode import INTERPRETER
from tools.package.contents import AWS_SERVICES

# Lambda's limit unpacked is 250 MB; a cold start fetches and unpacks what there is.
LARGEST_ZIP_BYTES = 11_000_000
LARGEST_UNPACKED_BYTES = 35_000_000
# python3.11 runs on Amazon Linux 2, later ones on Amazon Linux 2023, which has 2.34.
GLIBC_OF_THE_OLDEST_RUNTIME = (2, 26)
UNCHECKED_HASH = 0b01


@pytest.fixture(scope="module")
def archive(built_package: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(built_package / "deployment.zip")


@pytest.fixture(scope="module")
def definition(built_package: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((built_package / "chalice.tf.json").read_text())
    return made


def sha256(folder: Path) -> dict[str, str]:
    """Hash the files of a package."""
    files = ("deployment.zip", "chalice.tf.json")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}


def test_the_same_checkout_gives_the_same_bytes(built_package: Path, tmp_path: Path) -> None:
    build(project=PROJECT, output=tmp_path)
    assert sha256(tmp_path) == sha256(built_package)


def test_only_the_runtime_of_the_functions_builds_what_is_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform" / "service.json").write_text('{"runtime": "python3.10"}')
    monkeypatch.setattr(package_command, "PROJECT", tmp_path)
    assert package_command.main([]) == 1
    assert "uv python install 3.10" in capsys.readouterr().err


def test_it_holds_what_the_functions_need_and_nothing_of_the_rest(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    packages = {name.split("/")[0] for name in names}
    assert {"app.py", "chalicelib", "billing_app", "sql", "psycopg2", "redis", "boto3"} <= packages
    assert not packages & {"tools", "billing_client", "tests", "terraform", "pip", "moto"}
    assert not [name for name in names if ".dist-info/" in name or name.endswith(".pyi")]
    assert {"sql/functions/api/payments.sql", "billing_app/adapters/rds-ca-bundle.pem"} <= names
    assert any(re.match(r"psycopg2_binary\.libs/libpq-.*\.so", name) for name in names)


def test_it_is_small(built_package: Path, archive: zipfile.ZipFile) -> None:
    assert (built_package / "deployment.zip").stat().st_size < LARGEST_ZIP_BYTES
    assert sum(entry.file_size for entry in archive.infolist()) < LARGEST_UNPACKED_BYTES


def test_descriptions_of_aws_services_are_those_that_the_code_calls(
    archive: zipfile.ZipFile,
) -> None:
    called = {
        call.args[0].value
        for file in (*PROJECT.glob("chalicelib/*.py"), *PROJECT.glob("billing_app/*.py"))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "self._client"
        and isinstance(call.args[0], ast.Constant)
    }
    packed = {
        name.split("/")[2] for name in archive.namelist() if re.match("botocore/data/[^/]+/", name)
    }
    assert called == set(AWS_SERVICES) == packed


def test_every_module_has_bytecode_that_is_taken_unchecked(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    modules = {name for name in names if name.endswith(".py")}
    bytecode = {name for name in names if name.endswith(".pyc")}
    assert bytecode == {importlib.util.cache_from_source(name) for name in modules}
    for name in bytecode:
        header = archive.read(name)[:8]
        assert header[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(header[4:], "little") == UNCHECKED_HASH


def test_tracebacks_name_files_as_they_are_in_lambda(archive: zipfile.ZipFile) -> None:
    bytecode = archive.read(importlib.util.cache_from_source("app.py"))
    code = marshal.loads(bytecode[16:])  # noqa: S302 - ours
    assert code.co_filename == "/var/task/app.py"


def test_its_libraries_run_on_the_runtime(archive: zipfile.ZipFile) -> None:
    libraries = [name for name in archive.namelist() if re.search(r"\.so(\.|$)", name)]
    assert libraries != []
    wanted = {
        (int(major), int(minor))
        for name in libraries
        for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", archive.read(name))
    }
    assert max(wanted) <= GLIBC_OF_THE_OLDEST_RUNTIME
    assert not [name for name in libraries if "aarch64" in name]


# All modules, and what a function makes on its first event. -S leaves out every site-packages, so
# that what is not in the zip can't be found.
_START = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import app, billing_app, boto3, chalicelib
for package in (billing_app, chalicelib):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
for service in ("cognito-idp", "secretsmanager", "sqs"):
    boto3.client(service, region_name="eu-central-1")
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_every_module_finds_its_libraries_and_every_library_is_imported(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    archive.extractall(tmp_path)
    started = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _START, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    packages = {name.split("/")[0].removesuffix(".py") for name in archive.namelist()}
    not_modules = {"sql", "__pycache__", "psycopg2_binary.libs"}
    assert packages - set(started.stdout.split()) == not_modules


def test_each_function_of_the_app_is_in_the_terraform(definition: dict[str, Any]) -> None:
    service = json.loads((PROJECT / "terraform" / "service.json").read_text())
    functions = definition["resource"]["aws_lambda_function"]
    assert set(functions) == set(service["functions"])
    assert {one["handler"] for one in functions.values()} == {f"app.{name}" for name in functions}
    assert {one["runtime"] for one in functions.values()} == {INTERPRETER}


def test_new_code_waits_for_the_migration(definition: dict[str, Any]) -> None:
    waiting = {
        name
        for name, function in definition["resource"]["aws_lambda_function"].items()
        if "aws_lambda_invocation.migrate" in function["depends_on"]
    }
    assert waiting == set(definition["resource"]["aws_lambda_function"]) - {"migrate"}


def test_nothing_of_chalice_s_old_terraform_is_left(definition: dict[str, Any]) -> None:
    assert not {"terraform", "data", "provider"} & set(definition)
    text = json.dumps(definition)
    assert "null_data_source" not in text
    assert "aws-chalice" not in text
