"""Hospital systems before a week in which two visits stand and two wait."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.hospital import Hospital, hospital_at


@pytest.fixture
def hospital(sqlite_url: str) -> Iterator[Hospital]:
    """Return one that a test has for itself."""
    with hospital_at(sqlite_url) as made:
        yield made


@pytest.fixture(scope="package")
def reader(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """Return one that only reads, so that tests share it."""
    file = tmp_path_factory.mktemp("fhir") / "store.db"
    shutil.copyfile(migrated_file, file)
    with hospital_at(f"sqlite:///{file}") as made:
        yield made
