"""The parts of the deployment check that need no emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.deploy_check.__main__ import main
from tools.deploy_check.emulator import role_of
from tools.deploy_check.environment import Environment, issue_certificate, running
from tools.deploy_check.errors import MissingPrerequisiteError


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    environment = Environment(tmp_path, "", "", "", "", "")
    issue_certificate(environment)
    assert "PRIVATE KEY" in environment.certificate.read_text()
    assert environment.certificate.parent.stat().st_mode & 0o077 == 0


def test_a_session_is_reported_as_its_role() -> None:
    session = "arn:aws:sts::123456789012:assumed-role/bill-gateway/session"
    assert role_of(session) == "arn:aws:iam::123456789012:role/bill-gateway"
    assert role_of("arn:aws:iam::123456789012:user/x") == "arn:aws:iam::123456789012:user/x"


def test_a_folder_with_other_files_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        main(["--folder", str(tmp_path)])
    assert (tmp_path / "precious").exists()


def test_a_missing_emulator_is_reported_with_the_command_that_installs_it(tmp_path: Path) -> None:
    missing = running(tmp_path, emulator=tmp_path / "python")
    with pytest.raises(MissingPrerequisiteError, match="make deploy-check"), missing:
        pass


def test_missing_terraform_is_reported_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--folder", str(tmp_path / "new")]) == 2
    said = capsys.readouterr()
    assert "Terraform is not installed" in said.err
    assert "Starting emulators" not in said.out
