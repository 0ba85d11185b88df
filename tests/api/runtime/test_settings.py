"""What the service is told from outside."""

from __future__ import annotations

from typing import Any

import pytest

from api.runtime.settings import Settings, read_settings
from scheduling.errors import InvalidFile


def test_settings_name_every_variable_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PORT", "70000"), ("SECRET", "short and secret"), ("LOG_LEVEL", "loud")):
        monkeypatch.setenv(f"CLINICWEAVE_{name}", value)
    with pytest.raises(InvalidFile) as refused:
        read_settings()
    places = {fault.path for fault in refused.value.faults}
    assert places == {"CLINICWEAVE_PORT", "CLINICWEAVE_SECRET", "CLINICWEAVE_LOG_LEVEL"}
    assert "short and secret" not in str(refused.value)


def test_arguments_go_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINICWEAVE_PORT", "1234")
    assert (read_settings(port=None).port, read_settings(port=99).port) == (1234, 99)


def test_one_key_is_kept_beside_a_file_and_machines_must_be_told_theirs(tmp_path: Any) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/clinic.db")
    assert settings.signing_key() == settings.signing_key()
    assert (tmp_path / "clinic.db.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["clinic.db.key"]
    assert Settings(database_url="sqlite://").signing_key() != Settings(database_url="sqlite://").signing_key()
    with pytest.raises(InvalidFile, match="CLINICWEAVE_SECRET"):
        Settings(database_url="postgresql://host/clinic").signing_key()


def test_an_issuer_needs_a_client_id() -> None:
    with pytest.raises(ValueError, match="oidc_client_id"):
        Settings(oidc_issuer="https://login.example")
