"""A real browser against the real service: Chromium, as Debian installs it, and the demonstration's way of filling a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

import httpx2
import pytest
from support.processes import served
from support.service import SECRET

from api.access.actor import AccessRole
from api.access.passwords import hash_password
from api.cli.demo_service import ACCOUNT, fill_store
from api.context import create_context
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account
from api.store.database import Database
from api.store.migrations import migrate
from api.web.pages import DIST
from scheduling.generate import generate
from scheduling.scenario import Scenario

ADMIN = "admin"
AXE = Path("api/web/app/node_modules/axe-core/axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LATER = date(2090, 1, 2)
"""A Monday that lies ahead, whatever the clock of the machine says."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@dataclass(frozen=True)
class DeskServed:
    """A service with a planned week, its store's file and its process, and the accounts of its scheduler and its admin."""

    address: str
    password: str
    scenario: Scenario
    file: Path
    process: int

    def client(self) -> httpx2.Client:
        """Return a program that asks the service, and is no browser."""
        return httpx2.Client(base_url=self.address, timeout=30)

    @property
    def start(self) -> str:
        """The address that logs in by itself."""
        return f"{self.address}/log-in#name={ACCOUNT}&password={self.password}"

    @property
    def start_of_admin(self) -> str:
        """The address that logs the admin in by itself."""
        return f"{self.address}/log-in#name={ADMIN}&password={self.password}"


@cache
def planned_week(start: date = LATER) -> tuple[Scenario, Any]:
    """Return a small week and a plan of it."""
    from solver import Limits, solve

    week = generate("tiny", seed=1, start=start)
    return week, solve(week, Limits(seconds=2, workers=1))


@contextmanager
def served_desk(folder: Path, start: date = LATER) -> Iterator[DeskServed]:
    """Serve a small planned week from a store in a folder."""
    with served_plan(folder, *planned_week(start)) as desk:
        yield desk


@contextmanager
def served_plan(folder: Path, week: Scenario, plan: Any) -> Iterator[DeskServed]:
    """Serve a week and its plan from a store in a folder."""
    from solver import Limits

    file = folder / "desk.db"
    url = f"sqlite:///{file}"
    context = create_context(Settings(database_url=url, secret=SECRET), Database(url))
    migrate(context.database)
    password = fill_store(context, week, plan, Limits(seconds=2, workers=1))
    with context.database.writing() as session:
        new = NewAccount(ADMIN, AccessRole.ADMIN)
        add_account(session, SYSTEM, new, hash_password(password, ADMIN), None, context.clock())
    context.close()
    with served(url) as service:
        yield DeskServed(service.address, password, week, file, service.process.pid)


def expect_browser() -> str:
    """Return where Chromium is; skips the test with a plain line where it, Playwright or the pages are missing."""
    pytest.importorskip("playwright", reason="Playwright is not installed")
    chromium = which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    if not (DIST / "index.html").is_file():
        pytest.skip("the desk's pages are not built")
    return chromium


def find_faults(page: Any, **options: Any) -> list[str]:
    """Return what axe-core finds wrong with a page: the rule, and the first element of each."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; an editable installation brings it")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a tag: the pages' policy allows no script but their own
    rules = {"runOnly": {"type": "tag", "values": TAGS}, **options}
    found = page.evaluate("rules => axe.run(document, rules)", rules)
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found["violations"]]
