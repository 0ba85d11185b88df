"""The demonstration in a browser: the demo's week in a store of its own, which is gone when the service stops."""

from __future__ import annotations

import os
import secrets
import sys
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from api.runtime.settings import read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from api.context import AppContext
    from scheduling.plan import Plan
    from scheduling.scenario import Scenario
    from solver import Limits

ServiceOpener = Callable[..., None]
"""What serves by some settings and tells its address (:func:`api.cli.commands.serving.open_service`)."""

ACCOUNT = "demo"
STORE = "demo.db"


def serve_demo(scenario: Scenario, plan: Plan, limits: Limits, console: Console, open_service: ServiceOpener) -> None:
    """Serve a planned week on a free port, with a throw-away account, until stopped."""
    from api.context import create_context
    from api.store.database import Database
    from api.store.migrations import migrate

    with TemporaryDirectory(prefix="clinicweave-demo-") as folder:
        database = f"sqlite:///{Path(folder) / STORE}"
        own = {"database_url": database, "port": 0, "log_level": "WARNING"}
        context = create_context(read_settings(**own), Database(database))
        migrate(context.database)
        try:
            password = fill_store(context, scenario, plan, limits)
        finally:
            context.close()

        def announce(address: str) -> None:
            start = f"{address}/log-in#{urlencode({'name': ACCOUNT, 'password': password})}"
            console.print("The desk is open at", style="bold")
            console.print(f"  {start}", soft_wrap=True)
            console.print(f"  (account {ACCOUNT}; Ctrl-C ends it, and nothing of it is kept)")
            if _has_display():
                webbrowser.open(start)

        open_service(announce=announce, **own)


def fill_store(context: AppContext, scenario: Scenario, plan: Plan, limits: Limits) -> str:
    """Take a week in, publish a plan of it, and make the throw-away account; return that account's password."""
    from api.access.actor import AccessRole
    from api.access.passwords import hash_password
    from api.services.accounts.accounts import SYSTEM, NewAccount, add_account
    from api.services.bookings import publishing
    from api.services.clinic.scenarios import import_scenario
    from api.services.weeks import planning
    from api.simulation.desk import AtOnce
    from api.store.queries import jobs

    password, now = secrets.token_urlsafe(24), datetime.now(UTC)
    wanted = planning.PlanRequest(scenario.id, limits)
    new = NewAccount(ACCOUNT, AccessRole.SCHEDULER, None, None)
    with context.database.writing() as session:
        import_scenario(session, SYSTEM, scenario.model_dump_json(), now)
        add_account(session, SYSTEM, new, hash_password(password, ACCOUNT), None, now)
    with context.database.writing() as session:
        made_of = planning.prepare_plan(session, wanted, now)
        job = planning.request_plan(session, AtOnce(context.clock), SYSTEM, wanted, made_of, now)
        jobs.finish_job(session, job.id, job.epoch, plan, now)
        publishing.publish(session, SYSTEM, job.id, now)
    return password


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
