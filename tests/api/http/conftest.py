"""A service without network and worker, and the ways to ask it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from support.clients import furnish_client
from support.service import CHEAP, OWN, PASSWORD, SECRET, Clock, bearer, peopled

from api.access import passwords
from api.access.actor import AccessRole
from api.context import AppContext, create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.store.database import Database


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make argon2 cheap."""
    monkeypatch.setattr(passwords, "_hasher", CHEAP)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def peopled_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with people, two visits, and one account of each role of staff."""
    file = tmp_path_factory.mktemp("service") / "peopled.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    peopled(database)
    database.close()
    return file


@pytest.fixture
def settings(peopled_file: Path, tmp_path: Path) -> Settings:
    file = tmp_path / "service.db"
    shutil.copyfile(peopled_file, file)
    return Settings(database_url=f"sqlite:///{file}", secret=SECRET)


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[[Settings], AppContext]]:
    """Return what makes contexts, and closes them at the end."""
    made: list[AppContext] = []

    def make_one(settings: Settings) -> AppContext:
        context = create_context(settings, clock=clock)
        made.append(context)
        return context

    yield make_one
    for context in made:
        context.close()


@pytest.fixture
def context(make: Callable[[Settings], AppContext], settings: Settings) -> AppContext:
    return make(settings)


@pytest.fixture
def client(context: AppContext) -> Iterator[TestClient]:
    with TestClient(create_app(context), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def log_in(client: TestClient) -> Callable[..., httpx2.Response]:
    """Return what logs in; the client forgets the cookie, so that each test says who asks."""

    def begin(name: str, password: str = PASSWORD) -> httpx2.Response:
        answer = client.post("/v1/sessions", json={"name": name, "password": password})
        client.cookies.clear()
        return answer

    return begin


@pytest.fixture
def as_role(client: TestClient, context: AppContext, log_in: Any) -> Callable[[str], dict[str, str]]:
    """Return what gives the headers by which a role is known; a patient by a link for ``own-visit``."""

    def headers(role: str) -> dict[str, str]:
        if role == AccessRole.SYSTEM:
            return bearer(furnish_client(context.database, context.clock()))
        if role != AccessRole.PATIENT:
            return bearer(log_in(role).json()["token"])
        made = client.post(f"/v1/visits/{OWN}/links", json={}, headers=headers("scheduler"))
        return bearer(made.json()["secret"])

    return headers
