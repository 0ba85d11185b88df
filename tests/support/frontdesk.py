"""A desk that asks the service about one small week, published or not, at a moment that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from support.factories import at
from support.service import CHEAP, PASSWORD, SECRET, Clock, bearer
from support.stored import NOW, StoredWeek

from api.access.actor import AccessRole
from api.context import AppContext, create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account, add_link, add_token
from api.store.audit import list_entries
from api.store.database import Database
from api.store.queries import bookings, periods
from scheduling.plan import Plan
from scheduling.scenario import Scenario

TUESDAY_AT_NINE = datetime(2026, 12, 1, 14, tzinfo=UTC)

Headers = dict[str, str]


@dataclass
class FrontDesk:
    """Who asks the service about one week."""

    client: TestClient
    context: AppContext
    clock: Clock
    scheduler: Headers
    clinician: Headers

    def ask(self, method: str, path: str, body: Any = None, headers: Headers | None = None, **more: str) -> Any:
        """Ask as the scheduler, unless headers say who else."""
        asking = (self.scheduler if headers is None else headers) | more
        return self.client.request(method, path, json=body, headers=asking)

    def book(self, visit: str, start: str, room: str | None = "wang-exam-1", team: str = "ana", **more: Any) -> Any:
        """Book a place for a visit that has none."""
        return self.ask("POST", f"/v1/visits/{visit}/booking", wanted(start, room, team, **more))

    def move(self, visit: str, start: str, room: str | None = "wang-exam-1", team: str = "ana", **more: Any) -> Any:
        """Move a visit, as it stands now."""
        version = self.version(visit)
        return self.ask("PATCH", f"/v1/visits/{visit}/booking", wanted(start, room, team, **more), **{"If-Match": version})

    def change(self, method: str, path: str, visit: str, body: Any = None, headers: Headers | None = None) -> Any:
        """Change something of a visit's booking, as it stands now."""
        return self.ask(method, f"/v1/visits/{visit}/{path}", body, headers, **{"If-Match": self.version(visit)})

    def cancel(self, visit: str, headers: Headers | None = None) -> Any:
        """Cancel a visit's booking, as it stands now."""
        return self.change("DELETE", "booking", visit, headers=headers)

    def booking(self, visit: str) -> dict[str, Any] | None:
        """Return where a visit stands."""
        answer = self.ask("GET", f"/v1/visits/{visit}/booking")
        return answer.json() if answer.status_code == 200 else None

    def version(self, visit: str) -> str:
        """Return the ETag of a visit's booking."""
        return str(self.ask("GET", f"/v1/visits/{visit}/booking").headers.get("etag", '"0.none"'))

    def link(self, visit: str) -> Headers:
        """Return the headers of a patient who acts by the link for a visit."""
        with self.context.database.writing() as session:
            now = self.clock()
            secret, _ = add_link(session, self.context.signer, SYSTEM, visit, now + timedelta(days=9), now)
        return bearer(secret)

    def actions(self, visit: str) -> list[str]:
        """Return what the audit says was done to a visit."""
        with self.context.database.reading() as session:
            return [row.action for row in list_entries(session, object_id=visit)]

    def stands(self, scenario: str = "test-week") -> dict[str, str]:
        """Return where the visits of a week stand: starts in UTC, by visit."""
        with self.context.database.reading() as session:
            found = bookings.list_standing(session, scenario)
        return {subject[1]: f"{one.row.starts_at:%a %H:%M}" for subject, one in sorted(found.items()) if subject[0] == "visit"}


def wanted(start: str, room: str | None = "wang-exam-1", team: str = "ana", **more: Any) -> dict[str, Any]:
    """Return the body that asks for a place, at wang unless it says otherwise."""
    return {"start": at(start), "location": "wang", "room": room, "team": team.split(), **more}


def rules(answer: Any) -> set[str]:
    """Return the rules that a refusal names."""
    assert answer.status_code == 409, answer.text
    return {ground["rule"] for ground in answer.json()["errors"]}


def furnish(database: Database, scenario: Scenario, plan: Plan | None, clock: Clock) -> tuple[str, str]:
    """Put a week into a store, published if there is a plan; return the tokens of a scheduler and of a clinician, ana."""
    with database.writing() as session:
        periods.keep_scenario(session, scenario, NOW)
        secrets = []
        for role, provider in ((AccessRole.SCHEDULER, None), (AccessRole.CLINICIAN, "ana")):
            row = add_account(session, SYSTEM, NewAccount(role.value, role, provider), CHEAP.hash(PASSWORD), None, NOW)
            secrets.append(add_token(session, SYSTEM, row.id, "desk", clock() + timedelta(days=9), clock())[0])
    if plan is not None:
        StoredWeek(database, scenario).publish(plan)
    return secrets[0], secrets[1]


@contextmanager
def front_desk(url: str, scenario: Scenario, plan: Plan | None, now: datetime = NOW) -> Iterator[FrontDesk]:
    """Open the service over a store with a week."""
    clock = Clock()
    clock.now = now
    context = create_context(Settings(database_url=url, secret=SECRET), clock=clock)
    scheduler, clinician = furnish(context.database, scenario, plan, clock)
    with TestClient(create_app(context), raise_server_exceptions=False) as client:
        yield FrontDesk(client, context, clock, bearer(scheduler), bearer(clinician))
