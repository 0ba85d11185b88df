"""Tests with real calendar clients: asked for by ``-m clients``, after ``tests/clients/install``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from clients.clinic import Clinic, running_clinic
from clients.installed import Installed, folder
from clients.mailhost import MailHost, running_mail_host
from clients.peers import Demo, running_demo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.clients)


@pytest.fixture(scope="session")
def installed() -> Installed:
    """Return where the clients are."""
    where = folder()
    if not (where / "libical").exists():
        pytest.fail(f"the clients are not in {where}: run tests/clients/install", pytrace=False)
    return Installed(where)


@pytest.fixture(scope="session")
def mail_host(installed: Installed) -> Iterator[MailHost]:
    """Return a mail host of the whole run."""
    with running_mail_host() as host:
        yield host


@pytest.fixture
def patient() -> str:
    """Return the id of a patient of the test's own, so that nobody else's mail is in their mailbox."""
    return f"pat-{uuid4().hex[:8]}"


@pytest.fixture
def clinic(sqlite_url: str, mail_host: MailHost, patient: str) -> Iterator[Clinic]:
    """Return a running clinic in which the visits of the test's patient wait."""
    with running_clinic(sqlite_url, mail_host, patient) as running:
        yield running


@pytest.fixture(scope="session")
def peers() -> Path:
    """Return the folder of the programs that speak FHIR."""
    where = Installed(folder()).peers
    if not (where / "sekmet").exists():
        pytest.fail(f"the programs that speak FHIR are not in {where}: run tests/clients/install", pytrace=False)
    return where


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    """Return a running service over a small week, into which two systems of a hospital may come."""
    with running_demo(sqlite_url) as running:
        yield running
