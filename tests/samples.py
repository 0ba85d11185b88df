"""One good request for each route that is not public, and the world that it is sent into: add yours to ``SAMPLES``.

An id in a path or body is named by its kind: ``{visit}`` is an own visit of the role that asks, and once more somebody
else's. ``World.ids`` says which they are; a kind that only one sample needs, it makes itself, by ``prepare``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
from factories import booking, visit
from frontdesk import FrontDesk, Headers, front_desk
from service import CHEAP, PASSWORD, bearer
from stored import StoredWeek

from api.access.actor import Role
from api.services.accounts import SYSTEM, NewAccount, add_account, add_link, add_token
from api.store.tasks import add_task

Ids = Mapping[str, str]

MONDAY_AT_EIGHT = datetime(2026, 11, 30, 13, tzinfo=UTC)

OWN: Ids = {"visit": "own", "patient": "pat", "provider": "ana"}
FOREIGN: Ids = {"visit": "foreign", "patient": "quin", "provider": "dee"}
WAITING: tuple[Ids, Ids] = ({"visit": "own-waiting"}, {"visit": "foreign-waiting"})
"""Visits that have no place."""


@dataclass
class World:
    """A service with a published week, everybody's credentials, and the ids that requests may name."""

    desk: FrontDesk
    ids: dict[str, str]
    secrets: dict[Role, str]

    def headers(self, role: Role | None, own: Ids) -> Headers:
        """Return the headers by which a role is known; a patient by the link for an own visit."""
        if role is None:
            return {}
        return self.desk.link(own["visit"]) if role is Role.PATIENT else bearer(self.secrets[role])


@dataclass(frozen=True)
class Sample:
    """A request that whoever may is answered with success.

    Attributes
    ----------
    body, query
        What goes with it; texts in them may name ids. A body of bytes is a calendar.
    own, foreign
        Ids that take the place of those of the world, for this request.
    version_of : str
        The path of what it changes, whose ETag it sends.
    prepare : callable or None
        Makes what the request needs, and returns the ids of it: those of somebody else's as ``foreign/visit``, and where own
        is another thing for each role, as ``scheduler/visit``.
    """

    body: Any = None
    query: str = ""
    own: Ids = field(default_factory=dict)
    foreign: Ids = field(default_factory=dict)
    version_of: str = ""
    prepare: Callable[[World], Ids] | None = None


def named(value: Any, ids: Ids) -> Any:
    """Return a body with ids in the place of their kinds."""
    if isinstance(value, dict):
        return {key: named(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [named(one, ids) for one in value]
    return value.format_map(ids) if isinstance(value, str) else value


@contextmanager
def world(url: str) -> Iterator[World]:
    """Open a service over a week in which an own and a foreign visit stand, and one of each waits."""
    ana, dee = {"required_provider": "ana"}, {"required_provider": "dee"}
    asked = factories.scenario(
        visit("own", "pat", **ana),
        visit("foreign", "quin", **dee),
        visit("own-waiting", "rae", priority="urgent", **ana),
        visit("foreign-waiting", "sol", **dee),
    )
    stands = [booking("own", "TU 09:00"), booking("foreign", "TU 10:00", "wang-exam-2", "dee")]
    plan = factories.plan(asked, *stands)
    with front_desk(url, asked, plan, MONDAY_AT_EIGHT) as desk:
        database, now = desk.shell.database, desk.clock()
        until = now + timedelta(days=9)
        with database.writing() as session:
            account = add_account(session, SYSTEM, NewAccount("root", Role.ADMIN, None), CHEAP.hash(PASSWORD), None, now)
            admin, _ = add_token(session, SYSTEM, account.id, "desk", until, now)
            _, token = add_token(session, SYSTEM, account.id, "report", until, now)
            _, link = add_link(session, desk.shell.signer, SYSTEM, "own", until, now)
        ids = {"scenario": "test-week", "publication": "1", "account": account.id, "token": token.id, "link": link.id}
        ids["plan"] = StoredWeek(database, asked).made(plan)
        secrets = {
            Role.SCHEDULER: desk.scheduler["Authorization"].split()[1],
            Role.CLINICIAN: desk.clinician["Authorization"].split()[1],
            Role.ADMIN: admin,
        }
        yield World(desk, ids, secrets)


def linked(here: World) -> Ids:
    """Let the waiting own visit follow the one that stands."""
    answer = here.desk.ask("POST", "/v1/scenarios/test-week/links", LINK)
    assert answer.status_code == 201, answer.text
    return {"before": "own", "after": "own-waiting"}


def kept(here: World) -> Ids:
    """Keep the place of the own visit, freed, for the one that waits; so with the foreign ones."""
    for freed in ("own", "foreign"):
        place = here.desk.cancel(freed).json()["freed"]
        answer = here.desk.ask("POST", "/v1/scenarios/test-week/freed-places", place)
        assert answer.json()["visit"] == f"{freed}-waiting", answer.text
    return {}


def queued(here: World) -> Ids:
    """Ask for a plan that nobody makes."""
    return {"plan": here.desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"]}


def tasked(here: World) -> Ids:
    """Give the staff something to look at."""
    with here.desk.shell.database.writing() as session:
        row = add_task(session, "bounce", ("patient", "pat"), {}, here.desk.clock())
    return {"task": row.id}


def subscribed(here: World) -> Ids:
    """Let each role of staff make a feed; somebody else's is the admin's."""
    made = {}
    for role, name in ((Role.SCHEDULER, "scheduler/feed"), (Role.CLINICIAN, "clinician/feed"), (Role.ADMIN, "foreign/feed")):
        answer = here.desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}, here.headers(role, OWN))
        made[name] = str(answer.json()["id"])
    return {**made, "feed": made["foreign/feed"]}


def known_elsewhere(here: World) -> Ids:
    """Let ana and dee have a calendar elsewhere."""
    made = {}
    for provider, name in (("ana", "outside"), ("dee", "foreign/outside")):
        answer = here.desk.ask("POST", f"/v1/providers/{provider}/outside-calendars", ELSEWHERE)
        assert answer.status_code == 201, answer.text
        made[name] = str(answer.json()["id"])
    return made


CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//elsewhere//EN\r\n{}END:VCALENDAR\r\n"
ELSEWHERE = {"name": "teaching", "content": CALENDAR.format("")}
REPLY = CALENDAR.format(
    "METHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:nobody@clinic\r\nDTSTAMP:20261130T120000Z\r\nDTSTART:20261201T140000Z\r\n"
    "ORGANIZER:mailto:clinic@clinic.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:pat@home.example\r\nEND:VEVENT\r\n"
)
CONTACT = "/v1/patients/{patient}/contact"
LINK = factories.link("own", "own-waiting").model_dump(mode="json")
FREE = {"location": "wang", "room": "wang-exam-1", "team": ["ana"]}
BOOKING, VISIT, PATIENT = "/v1/visits/{visit}/booking", "/v1/visits/{visit}", "/v1/patients/{patient}"
OWN_WAITING = {"own": WAITING[0], "foreign": WAITING[1]}

SAMPLES: Mapping[tuple[str, str], Sample] = {
    ("GET", "/metrics"): Sample(),
    ("GET", "/v1/sessions/current"): Sample(),
    ("DELETE", "/v1/sessions/current"): Sample(),
    ("PUT", "/v1/sessions/current/password"): Sample({"present": PASSWORD, "wanted": "another long pass phrase"}),
    ("GET", "/v1/accounts"): Sample(),
    ("POST", "/v1/accounts"): Sample({"name": "erin", "role": "scheduler", "password": PASSWORD}),
    ("GET", "/v1/accounts/{account}"): Sample(),
    ("PATCH", "/v1/accounts/{account}"): Sample({"role": "admin"}, version_of="/v1/accounts/{account}"),
    ("DELETE", "/v1/accounts/{account}/sessions"): Sample(),
    ("GET", "/v1/accounts/{account}/tokens"): Sample(),
    ("POST", "/v1/accounts/{account}/tokens"): Sample({"name": "nightly"}),
    ("DELETE", "/v1/tokens/{token}"): Sample(),
    ("POST", "/v1/scenarios"): Sample(factories.scenario_fields(id="other-week")),
    ("GET", "/v1/scenarios"): Sample(),
    ("GET", "/v1/scenarios/{scenario}"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/plan"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/kpis"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/visits"): Sample(),
    ("POST", "/v1/scenarios/{scenario}/visits"): Sample(visit("more", "pat").model_dump(mode="json")),
    ("POST", "/v1/scenarios/{scenario}/links"): Sample(LINK),
    ("DELETE", "/v1/scenarios/{scenario}/links/{before}/{after}"): Sample(prepare=linked),
    ("GET", VISIT): Sample(),
    ("PATCH", VISIT): Sample({"priority": "soon"}, version_of=VISIT),
    ("DELETE", VISIT): Sample(version_of=VISIT),
    ("GET", PATIENT): Sample(),
    ("PATCH", PATIENT): Sample({"prefers": "morning"}, version_of=PATIENT),
    ("POST", "/v1/plans"): Sample({"scenario": "{scenario}", "seconds": 1}),
    ("GET", "/v1/plans"): Sample(),
    ("GET", "/v1/plans/{plan}"): Sample(),
    ("GET", "/v1/plans/{plan}/comparison"): Sample(query="?before={plan}"),
    ("GET", "/v1/plans/{plan}/events"): Sample(),
    ("DELETE", "/v1/plans/{plan}"): Sample(prepare=queued),
    ("POST", "/v1/publications"): Sample({"plan": "{plan}"}),
    ("GET", "/v1/publications"): Sample(),
    ("GET", "/v1/publications/{publication}"): Sample(),
    ("GET", BOOKING): Sample(),
    ("POST", BOOKING): Sample({"start": factories.at("WE 09:00"), **FREE}, **OWN_WAITING),
    ("PATCH", BOOKING): Sample({"start": factories.at("WE 09:00"), **FREE}, version_of=BOOKING),
    ("DELETE", BOOKING): Sample(version_of=BOOKING),
    ("PUT", "/v1/visits/{visit}/booking/state"): Sample({"state": "arrived"}, version_of=BOOKING),
    ("PUT", "/v1/visits/{visit}/pin"): Sample(version_of=BOOKING),
    ("DELETE", "/v1/visits/{visit}/pin"): Sample(),
    ("POST", "/v1/visits/{visit}/offers"): Sample({"count": 2}, **OWN_WAITING),
    ("POST", "/v1/referrals"): Sample({"patient": "{patient}", "service": "consult"}),
    ("POST", "/v1/scenarios/{scenario}/freed-places"): Sample(
        {"start": factories.at("WE 09:00"), "end": factories.at("WE 09:40"), **FREE}
    ),
    ("GET", "/v1/visits/{visit}/freed-place"): Sample(prepare=kept, **OWN_WAITING),
    ("POST", "/v1/visits/{visit}/freed-place/acceptance"): Sample(prepare=kept, **OWN_WAITING),
    ("DELETE", "/v1/visits/{visit}/freed-place"): Sample(prepare=kept, **OWN_WAITING),
    ("GET", "/v1/mail"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/answers"): Sample(),
    ("GET", CONTACT): Sample(),
    ("PUT", CONTACT): Sample({"email": "pat@home.example"}, version_of=CONTACT),
    ("GET", "/v1/patients/{patient}/messages"): Sample(),
    ("POST", "/v1/answers"): Sample(REPLY.encode()),
    ("GET", "/v1/tasks"): Sample(),
    ("GET", "/v1/tasks/{task}"): Sample(prepare=tasked),
    ("PUT", "/v1/tasks/{task}/done"): Sample(version_of="/v1/tasks/{task}", prepare=tasked),
    ("GET", "/v1/feeds"): Sample(),
    ("POST", "/v1/feeds"): Sample({"kind": "provider", "subject": "{provider}"}),
    ("DELETE", "/v1/feeds/{feed}"): Sample(prepare=subscribed),
    ("POST", "/v1/patients/{patient}/feeds"): Sample(),
    ("GET", "/v1/providers/{provider}/outside-calendars"): Sample(),
    ("POST", "/v1/providers/{provider}/outside-calendars"): Sample(ELSEWHERE),
    ("DELETE", "/v1/outside-calendars/{outside}"): Sample(prepare=known_elsewhere),
    ("POST", "/v1/visits/{visit}/links"): Sample({"days": 3}),
    ("DELETE", "/v1/links/{link}"): Sample(),
}
