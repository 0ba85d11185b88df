"""A hospital system that asks the service by FHIR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from support.clients import furnish_client
from support.frontdesk import FrontDesk, Headers, front_desk
from support.samples import published_week
from support.service import bearer

from scheduling.plan import Plan
from scheduling.scenario import Scenario

ROOT = "/fhir/r4"


@dataclass
class Hospital:
    """A hospital system with every scope, and the desk that it stands before."""

    desk: FrontDesk
    headers: Headers

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the answer to a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.desk.ask(method, f"{ROOT}/{path}", body, self.headers | named)

    def get(self, path: str) -> Any:
        """Return a resource."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/fhir+json"
        return answer.json()

    def find(self, path: str) -> list[str]:
        """Return the ids of what a search matches, of all its pages."""
        found: list[str] = []
        while path:
            bundle = self.get(path)
            found += [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            path = links.get("next", "").partition(f"{ROOT}/")[2]
        return found


@contextmanager
def hospital_at(
    url: str, asked: Scenario | None = None, plan: Plan | None = None, now: datetime | None = None
) -> Iterator[Hospital]:
    """Open a service over a week, by default one in which two visits stand and two wait, and let a hospital system in."""
    if asked is None:
        asked, plan, usual = published_week()
        now = now or usual
    assert now is not None
    with front_desk(url, asked, plan, now) as desk:
        yield Hospital(desk, bearer(furnish_client(desk.context.database, now)))
