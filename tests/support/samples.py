"""One good request for each route that is not public, and the world that it is sent into: add yours to ``SAMPLES``.

An id in a path or body is named by its kind: ``{visit}`` is an own visit of the role that asks, and once more somebody
else's. ``World.ids`` says which they are; a kind that only one sample needs, it makes itself, by ``prepare``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support import factories
from support.clients import furnish_client, parameters
from support.factories import booking, group, session, visit
from support.frontdesk import FrontDesk, Headers, front_desk
from support.months import FRIDAY_AFTER, last_week, roster
from support.service import CHEAP, PASSWORD, bearer
from support.stored import StoredWeek
from support.worked import finish

from api.access.actor import AccessRole
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account, add_link, add_token
from api.store.queries.tasks import add_task
from scheduling.plan import Plan
from scheduling.scenario import Scenario

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
    secrets: dict[AccessRole, str]

    def headers(self, role: AccessRole | None, own: Ids) -> Headers:
        """Return the headers by which a role is known; a patient by the link for an own visit."""
        if role is None:
            return {}
        return self.desk.link(own["visit"]) if role is AccessRole.PATIENT else bearer(self.secrets[role])


@dataclass(frozen=True)
class Sample:
    """A request that whoever may is answered with success.

    Attributes
    ----------
    body, query
        What goes with it; texts in them may name ids. A body of bytes is sent as it is.
    own, foreign
        Ids that take the place of those of the world, for this request.
    version_of : str
        The path of what it changes, whose ETag it sends.
    months : bool
        Whether it is sent into a clinic over months, with a roster and no published week.
    status : int or None
        What whoever may is answered, where a success would need more of a past than this.
    prepare : callable or None
        Makes what the request needs, and returns the ids of it: those of somebody else's as ``foreign/visit``, and where own
        is another thing for each role, as ``scheduler/visit``.
    """

    body: Any = None
    query: str = ""
    own: Ids = field(default_factory=dict)
    foreign: Ids = field(default_factory=dict)
    version_of: str = ""
    months: bool = False
    status: int | None = None
    prepare: Callable[[World], Ids] | None = None


def named(value: Any, ids: Ids) -> Any:
    """Return a body with ids in the place of their kinds."""
    if isinstance(value, dict):
        return {key: named(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [named(one, ids) for one in value]
    return value.format_map(ids) if isinstance(value, str) else value


@contextmanager
def world(url: str, months: bool = False) -> Iterator[World]:
    """Open a service over a week with own and foreign visits: a published one, or the last of a clinic over months."""
    asked, plan, now = (last_week(), None, FRIDAY_AFTER) if months else published_week()
    with front_desk(url, asked, plan, now) as desk:
        here = staffed(desk, asked.visits[0].id)
        here.ids["scenario"] = asked.id
        if plan is not None:
            here.ids |= {"plan": StoredWeek(desk.context.database, asked).made(plan), "publication": "1"}
        if months:
            here.ids["visit"] = asked.visits[0].id
            assert desk.ask("PUT", "/v1/roster", json.loads(roster(6))).status_code == 200
        yield here


def published_week() -> tuple[Scenario, Plan, datetime]:
    """Return a week in which an own and a foreign visit stand, and one of each waits."""
    ana, dee = {"required_provider": "ana"}, {"required_provider": "dee"}
    asked = factories.scenario(
        visit("own", "pat", **ana),
        visit("foreign", "quin", **dee),
        visit("own-waiting", "rae", priority="urgent", **ana),
        visit("foreign-waiting", "sol", **dee),
        group("coping", "rae", "sol", "tam"),
    )
    stands = [booking("own", "TU 09:00"), booking("foreign", "TU 10:00", "wang-exam-2", "dee")]
    stands.append(session("coping", "TH 09:00", "sol tam"))
    return asked, factories.plan(asked, *stands), MONDAY_AT_EIGHT


def staffed(desk: FrontDesk, visit: str) -> World:
    """Add an admin, and a token and a link that may be ended."""
    now = desk.clock()
    until = now + timedelta(days=9)
    with desk.context.database.writing() as session:
        account = add_account(session, SYSTEM, NewAccount("root", AccessRole.ADMIN, None), CHEAP.hash(PASSWORD), None, now)
        admin, _ = add_token(session, SYSTEM, account.id, "desk", until, now)
        _, token = add_token(session, SYSTEM, account.id, "report", until, now)
        _, link = add_link(session, desk.context.signer, SYSTEM, visit, until, now)
    secrets = {
        AccessRole.SCHEDULER: desk.scheduler["Authorization"].split()[1],
        AccessRole.CLINICIAN: desk.clinician["Authorization"].split()[1],
        AccessRole.ADMIN: admin,
        AccessRole.SYSTEM: furnish_client(desk.context.database, now),
    }
    return World(desk, {"account": account.id, "token": token.id, "link": link.id}, secrets)


def linked(here: World) -> Ids:
    """Let the waiting own visit follow the one that stands."""
    answer = here.desk.ask("POST", "/v1/scenarios/test-week/links", LINK)
    assert answer.status_code == 201, answer.text
    return {"before": "own", "after": "own-waiting"}


def to_be_seen(here: World) -> Ids:
    """Ask for a visit that has to be today, and let it wait."""
    day = "2026-11-30"
    asked = visit("today", "tam", priority="cancer", earliest=day, deadline=day, same_day=True)
    answer = here.desk.ask("POST", "/v1/scenarios/test-week/visits", asked.model_dump(mode="json"))
    assert answer.status_code == 201, answer.text
    return {"visit": "today"}


def kept(here: World) -> Ids:
    """Keep the place of the own visit, freed, for the one that waits; so with the foreign ones."""
    for freed in ("own", "foreign"):
        place = here.desk.cancel(freed).json()["freed"]
        answer = here.desk.ask("POST", "/v1/scenarios/test-week/freed-places", place)
        assert answer.json()["visit"] == f"{freed}-waiting", answer.text
    return {}


def on_their_day(here: World) -> Ids:
    """Let the day come on which visits stand."""
    here.desk.clock.pass_by(days=1)
    return {}


def arrived(here: World) -> Ids:
    """Let the patients of both visits come."""
    on_their_day(here)
    for name in ("own", "foreign"):
        answer = here.desk.change("PUT", "booking/state", name, {"state": "arrived"})
        assert answer.status_code == 200, answer.text
    return {}


def queued(here: World) -> Ids:
    """Ask for a plan that nobody makes."""
    return {"plan": here.desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"]}


def tried(here: World) -> Ids:
    """Ask what would be if ana were away."""
    answer = here.desk.ask("POST", "/v1/scenarios/test-week/what-ifs", TRIED)
    assert answer.status_code == 202, answer.text
    return {"what_if": str(answer.json()["id"])}


def tried_and_planned(here: World) -> Ids:
    """Ask what would be if ana were away, and let a worker have planned that nothing changes."""
    identifier = tried(here)["what_if"]
    finish(here.desk.context.database, identifier, factories.plan)
    return {"what_if": identifier}


def asked_why(here: World) -> Ids:
    """Ask why the own visit waits."""
    answer = here.desk.ask("POST", "/v1/visits/own-waiting/explanations", {})
    assert answer.status_code == 202, answer.text
    return {"explanation": str(answer.json()["id"])}


def ending(here: World) -> Ids:
    """Let the process be about to end: streams of what may change for ever end with it."""
    here.desk.context.stopping.set()
    return {}


def changed(here: World) -> Ids:
    """Move the own visit as a desk does."""
    board = here.desk.ask("GET", "/v1/scenarios/test-week/board").headers["etag"]
    answer = here.desk.ask("POST", "/v1/scenarios/test-week/changes", named(CHANGES, OWN), **{"If-Match": board})
    assert answer.status_code == 201, answer.text
    return {"change": str(answer.json()["id"])}


def tasked(here: World) -> Ids:
    """Give the staff something to look at."""
    with here.desk.context.database.writing() as session:
        row = add_task(session, "bounce", ("patient", "pat"), {}, here.desk.clock())
    return {"task": row.id}


def subscribed(here: World) -> Ids:
    """Let each role of staff make a feed; somebody else's is the admin's."""
    made = {}
    for role, name in (
        (AccessRole.SCHEDULER, "scheduler/feed"),
        (AccessRole.CLINICIAN, "clinician/feed"),
        (AccessRole.ADMIN, "foreign/feed"),
    ):
        answer = here.desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}, here.headers(role, OWN))
        made[name] = str(answer.json()["id"])
    return {**made, "feed": made["foreign/feed"]}


def given(here: World) -> Ids:
    """Let the scheduler and the clinician each give a patient a link."""
    made = {}
    for role, name in ((AccessRole.SCHEDULER, "scheduler/link"), (AccessRole.CLINICIAN, "clinician/link")):
        answer = here.desk.ask("POST", "/v1/visits/own/links", {}, here.headers(role, OWN))
        made[name] = str(answer.json()["id"])
    return {**made, "foreign/link": here.ids["link"]}


def merged(here: World) -> Ids:
    """Let quin be pat."""
    answer = here.desk.ask("POST", "/v1/patients/quin/merge", {"into": "pat"})
    assert answer.status_code == 200, answer.text
    return {"patient": "quin"}


def known_elsewhere(here: World) -> Ids:
    """Let ana and dee have a calendar elsewhere."""
    made = {}
    for provider, name in (("ana", "outside"), ("dee", "foreign/outside")):
        answer = here.desk.ask("POST", f"/v1/providers/{provider}/outside-calendars", ELSEWHERE)
        assert answer.status_code == 201, answer.text
        made[name] = str(answer.json()["id"])
    return made


def taken_in(here: World, **request: Any) -> dict[str, Any]:
    """Take in a referral."""
    answer = here.desk.ask("POST", "/v1/intake", {"name": "Robin", "kind": "follow-up", **request})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def cared_for(here: World) -> Ids:
    """Begin an episode that prefers ana, and one that does not."""
    own = taken_in(here, patient="mrn-1", preferred_providers=["ana"])
    return {"episode": own["episode"], "foreign/episode": taken_in(here, patient="mrn-2")["episode"]}


def proposed(here: World) -> Ids:
    """Propose a place to the hospital system."""
    answer = here.desk.ask("POST", f"{FHIR}/Appointment/$find", FIND, here.headers(AccessRole.SYSTEM, {}))
    assert answer.status_code == 200, answer.text
    return {"proposal": answer.json()["entry"][0]["resource"]["id"]}


def referred(here: World) -> Ids:
    """Begin an episode, which is a referral to others."""
    return {"resource": taken_in(here, patient="mrn-1")["episode"]}


def sent_out(here: World) -> Ids:
    """Refer a patient to another department."""
    return {"referral": taken_in(here, kind="referral-out", patient="mrn-1", department="neurology")["referral_out"]}


def in_a_programme(here: World) -> Ids:
    """Let a patient wait for a seat in a programme."""
    taken_in(here, kind="group", patient="mrn-1", programme=PROGRAMME)
    return {"programme": PROGRAMME, "patient": "mrn-1", "month": "2026-12"}


TUESDAY = {"from": "2026-12-01", "to": "2026-12-01"}
AWAY = {"provider": "ana", **TUESDAY}
CLOSED = {"room": "wang-exam-1", **TUESDAY}
EXTRA = {"provider": "ana", "locations": ["wang"], "from": "2026-12-05T09:00", "to": "2026-12-05T12:00"}


def disrupted(here: World) -> Ids:
    """Let the world change: ana is away, a room is closed, and ana works on Saturday."""
    made = {}
    for kind, noun, body in (("absence", "absences", AWAY), ("closure", "closures", CLOSED), ("shift", "extra-shifts", EXTRA)):
        answer = here.desk.ask("POST", f"/v1/{noun}", body)
        assert answer.status_code == 201, answer.text
        made[kind] = str(answer.json()["id"])
    return made


def called_off(here: World) -> Ids:
    """Call a session off."""
    version = here.desk.ask("GET", "/v1/groups/coping/booking").headers["etag"]
    assert here.desk.ask("DELETE", "/v1/groups/coping/booking", **{"If-Match": version}).status_code == 200
    return {}


PROGRAMME = "coping-skills"
SHEET = b"kind,patient,name\nfollow-up,mrn-1,Robin\n"
REFERRAL_OUT, IN_PROGRAMME = "/v1/referrals-out/{referral}", "/v1/programmes/{programme}"
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
CHANGES = {"changes": [{"kind": "place", "visit": "{visit}", "start": factories.at("WE 09:00"), **FREE}]}
SESSION, COPING = "/v1/groups/{group}/booking", {"group": "coping"}
OWN_WAITING = {"own": WAITING[0], "foreign": WAITING[1]}

FHIR = "/fhir/r4"
SLOTS = "?schedule=Schedule/ana&start=2026-12-01"
APPOINTMENT = f"{FHIR}/Appointment/{{resource}}"
FIND = parameters(
    start={"valueDateTime": "2026-11-30"},
    end={"valueDateTime": "2026-12-04"},
    visit_type={"valueString": "consult"},
    patient_reference={"valueReference": {"reference": "Patient/pat"}},
)
PROPOSED = parameters(appointment_reference={"valueReference": {"reference": "Appointment/{proposal}"}})
REFERRAL = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "code": {"coding": [{"system": "https://clinicweave.example/fhir/CodeSystem/referral-kind", "code": "follow-up"}]},
    "subject": {"reference": "#who"},
    "contained": [
        {"resourceType": "Patient", "id": "who", "identifier": [{"value": "mrn-7"}], "name": [{"text": "Robin Example"}]}
    ],
}
REFERRALS = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": REFERRAL, "request": {"method": "POST", "url": "ServiceRequest"}}],
}
CANCELLED = {
    "resourceType": "Appointment",
    "id": "{resource}",
    "status": "cancelled",
    "participant": [{"actor": {"reference": "Patient/pat"}, "status": "accepted"}],
}
CANCEL = [{"op": "replace", "path": "/status", "value": "cancelled"}]
RESOURCES = {
    "Appointment": "own",
    "HealthcareService": "consult",
    "Location": "wang-exam-1",
    "Patient": "pat",
    "Practitioner": "ana",
    "PractitionerRole": "ana",
    "Schedule": "ana",
    "ServiceRequest": "",
    "Slot": "ana.202612011400-202612011440",
}
FREED = {"start": factories.at("WE 09:00"), "end": factories.at("WE 09:40"), **FREE}
TRIED = {"disruptions": [{"kind": "absence", **AWAY}], "seconds": 1}
WHAT_IF, EXPLANATION = "/v1/what-ifs/{what_if}", "/v1/explanations/{explanation}"

SAMPLES: Mapping[tuple[str, str], Sample] = {
    ("GET", "/metrics"): Sample(),
    ("GET", "/v1/sessions/current"): Sample(),
    ("DELETE", "/v1/sessions/current"): Sample(),
    ("PUT", "/v1/sessions/current/password"): Sample({"present": PASSWORD, "wanted": "another long pass phrase"}),
    ("POST", "/v1/sessions/current/second-factor"): Sample({"password": PASSWORD}),
    ("PUT", "/v1/sessions/current/second-factor"): Sample({"code": "123456"}, status=409),
    ("GET", "/v1/accounts"): Sample(),
    ("POST", "/v1/accounts"): Sample({"name": "erin", "role": "scheduler", "password": PASSWORD}),
    ("GET", "/v1/accounts/{account}"): Sample(),
    ("PATCH", "/v1/accounts/{account}"): Sample({"role": "admin"}, version_of="/v1/accounts/{account}"),
    ("DELETE", "/v1/accounts/{account}/sessions"): Sample(),
    ("GET", "/v1/accounts/{account}/tokens"): Sample(),
    ("POST", "/v1/accounts/{account}/tokens"): Sample({"name": "nightly"}),
    ("DELETE", "/v1/tokens/{token}"): Sample(),
    ("GET", "/v1/audit"): Sample(query="?patient={patient}&action=visit."),
    ("POST", "/v1/scenarios"): Sample(factories.scenario_fields(id="other-week")),
    ("GET", "/v1/scenarios"): Sample(),
    ("GET", "/v1/scenarios/{scenario}"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/plan"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/kpis"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/board"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/waiting"): Sample(query="?sort=waited"),
    ("GET", "/v1/days/{date}"): Sample(own={"date": "2026-12-01"}),
    ("GET", "/v1/scenarios/{scenario}/visits"): Sample(),
    ("POST", "/v1/scenarios/{scenario}/visits"): Sample(visit("more", "pat").model_dump(mode="json")),
    ("POST", "/v1/scenarios/{scenario}/links"): Sample(LINK),
    ("DELETE", "/v1/scenarios/{scenario}/links/{before}/{after}"): Sample(prepare=linked),
    ("GET", VISIT): Sample(),
    ("PATCH", VISIT): Sample({"priority": "soon"}, version_of=VISIT),
    ("DELETE", VISIT): Sample(version_of=VISIT),
    ("GET", PATIENT): Sample(),
    ("GET", "/v1/patients"): Sample(query="?find=pat"),
    ("GET", "/v1/patients/{patient}/visits"): Sample(),
    ("PATCH", PATIENT): Sample({"prefers": "morning"}, version_of=PATIENT),
    ("GET", "/v1/patients/{patient}/record"): Sample(),
    ("DELETE", "/v1/patients/{patient}/record"): Sample(
        query="?reason=objection", own={"patient": "rae"}, foreign={"patient": "rae"}
    ),
    ("POST", "/v1/patients/{patient}/emergency-accesses"): Sample({"reason": "Collapsed in the waiting room."}),
    ("GET", "/v1/emergency-accesses"): Sample(),
    ("POST", f"{PATIENT}/merge"): Sample({"into": "rae"}),
    ("POST", f"{PATIENT}/withdrawal"): Sample({"reason": "died"}),
    ("DELETE", f"{PATIENT}/merge"): Sample(prepare=merged),
    ("POST", "/v1/plans"): Sample({"scenario": "{scenario}", "seconds": 1}),
    ("GET", "/v1/plans"): Sample(),
    ("GET", "/v1/plans/{plan}"): Sample(),
    ("GET", "/v1/plans/{plan}/comparison"): Sample(query="?before={plan}"),
    ("GET", "/v1/plans/{plan}/events"): Sample(),
    ("GET", "/v1/plans/{plan}/board"): Sample(),
    ("POST", "/v1/plans/{plan}/end"): Sample(prepare=queued),
    ("DELETE", "/v1/plans/{plan}"): Sample(prepare=queued),
    ("POST", "/v1/publications"): Sample({"plan": "{plan}"}),
    ("GET", "/v1/publications"): Sample(),
    ("GET", "/v1/publications/{publication}"): Sample(),
    ("POST", "/v1/scenarios/{scenario}/what-ifs"): Sample(TRIED),
    ("GET", WHAT_IF): Sample(prepare=tried),
    ("DELETE", WHAT_IF): Sample(prepare=tried),
    ("POST", f"{WHAT_IF}/realisation"): Sample(prepare=tried_and_planned),
    ("POST", "/v1/visits/{visit}/explanations"): Sample({"seconds": 1}, **OWN_WAITING),
    ("GET", EXPLANATION): Sample(prepare=asked_why),
    ("DELETE", EXPLANATION): Sample(prepare=asked_why),
    ("GET", BOOKING): Sample(),
    ("POST", BOOKING): Sample({"start": factories.at("WE 09:00"), **FREE}, **OWN_WAITING),
    ("PATCH", BOOKING): Sample({"start": factories.at("WE 09:00"), **FREE}, version_of=BOOKING),
    ("DELETE", BOOKING): Sample(version_of=BOOKING),
    ("PUT", "/v1/visits/{visit}/booking/state"): Sample({"state": "arrived"}, version_of=BOOKING, prepare=on_their_day),
    ("DELETE", "/v1/visits/{visit}/booking/state"): Sample(version_of=BOOKING, prepare=arrived),
    ("PUT", "/v1/visits/{visit}/pin"): Sample(version_of=BOOKING),
    ("DELETE", "/v1/visits/{visit}/pin"): Sample(),
    ("POST", "/v1/visits/{visit}/offers"): Sample({"count": 2}, **OWN_WAITING),
    ("GET", "/v1/visits/{visit}/places"): Sample(),
    ("GET", "/v1/visits/{visit}/history"): Sample(),
    ("POST", "/v1/scenarios/{scenario}/judgements"): Sample(CHANGES),
    ("GET", "/v1/scenarios/{scenario}/changes"): Sample(prepare=ending),
    ("POST", "/v1/scenarios/{scenario}/changes"): Sample(CHANGES, version_of="/v1/scenarios/{scenario}/board"),
    ("POST", "/v1/changes/{change}/reversal"): Sample(prepare=changed),
    ("POST", "/v1/referrals"): Sample({"patient": "{patient}", "service": "consult"}),
    ("POST", "/v1/visits/{visit}/displacement"): Sample(prepare=to_be_seen),
    ("POST", "/v1/visits/{visit}/displacement/judgement"): Sample(prepare=to_be_seen),
    ("POST", "/v1/scenarios/{scenario}/freed-places"): Sample(FREED),
    ("POST", "/v1/scenarios/{scenario}/freed-places/candidates"): Sample(FREED, query="?count=3"),
    ("GET", "/v1/visits/{visit}/freed-place"): Sample(prepare=kept, **OWN_WAITING),
    ("POST", "/v1/visits/{visit}/freed-place/acceptance"): Sample(prepare=kept, **OWN_WAITING),
    ("DELETE", "/v1/visits/{visit}/freed-place"): Sample(prepare=kept, **OWN_WAITING),
    ("GET", "/v1/mail"): Sample(),
    ("GET", "/v1/scenarios/{scenario}/answers"): Sample(),
    ("GET", CONTACT): Sample(),
    ("PUT", CONTACT): Sample({"email": "pat@home.example"}, version_of=CONTACT),
    ("GET", "/v1/patients/{patient}/messages"): Sample(),
    ("GET", "/v1/providers/{provider}/day-mail"): Sample(),
    ("PUT", "/v1/providers/{provider}/day-mail"): Sample({"email": "ana@clinic.example"}),
    ("POST", "/v1/answers"): Sample(REPLY.encode()),
    ("GET", "/v1/tasks"): Sample(),
    ("GET", "/v1/tasks/{task}"): Sample(prepare=tasked),
    ("PUT", "/v1/tasks/{task}/done"): Sample(version_of="/v1/tasks/{task}", prepare=tasked),
    ("POST", "/me/second-factor"): Sample(f"password={PASSWORD}".encode()),
    ("POST", "/me/second-factor/code"): Sample(b"code=123456"),
    ("POST", "/me/leaving"): Sample(),
    ("POST", "/me/calendars"): Sample(),
    ("POST", "/me/calendars/{feed}/end"): Sample(prepare=subscribed),
    ("POST", "/me/outside-calendars"): Sample(b"name=teaching&url=ftp://elsewhere.example"),
    ("POST", "/me/outside-calendars/{outside}/end"): Sample(prepare=known_elsewhere),
    ("GET", "/v1/feeds"): Sample(),
    ("POST", "/v1/feeds"): Sample({"kind": "provider", "subject": "{provider}"}),
    ("DELETE", "/v1/feeds/{feed}"): Sample(prepare=subscribed),
    ("POST", "/v1/patients/{patient}/feeds"): Sample(),
    ("GET", "/v1/providers/{provider}/outside-calendars"): Sample(),
    ("POST", "/v1/providers/{provider}/outside-calendars"): Sample(ELSEWHERE),
    ("DELETE", "/v1/outside-calendars/{outside}"): Sample(prepare=known_elsewhere),
    ("GET", "/v1/intake/kinds"): Sample(months=True),
    ("GET", "/v1/intake/template"): Sample(months=True),
    ("POST", "/v1/intake"): Sample({"kind": "follow-up", "patient": "{patient}"}, months=True, foreign={"patient": "mrn-9"}),
    ("POST", "/v1/intake/spreadsheets"): Sample(SHEET, months=True),
    ("GET", "/v1/referrals-out"): Sample(months=True),
    ("GET", REFERRAL_OUT): Sample(months=True, prepare=sent_out),
    ("PATCH", REFERRAL_OUT): Sample({"state": "accepted"}, months=True, version_of=REFERRAL_OUT, prepare=sent_out),
    ("GET", "/v1/episodes"): Sample(months=True),
    ("GET", "/v1/episodes/{episode}"): Sample(months=True, prepare=cared_for),
    ("POST", "/v1/episodes/{episode}/events"): Sample({"kind": "stopped"}, months=True, prepare=cared_for),
    ("GET", "/v1/programmes"): Sample(months=True),
    ("GET", IN_PROGRAMME): Sample(months=True, prepare=in_a_programme),
    ("PATCH", IN_PROGRAMME): Sample({"capacity": 12}, months=True, version_of=IN_PROGRAMME, prepare=in_a_programme),
    ("DELETE", "/v1/programmes/{programme}/people/{patient}"): Sample(months=True, prepare=in_a_programme),
    ("PUT", "/v1/programmes/{programme}/sessions/{month}"): Sample(
        {"came": []}, months=True, status=409, prepare=in_a_programme
    ),
    ("GET", SESSION): Sample(own=COPING),
    ("PATCH", SESSION): Sample(
        {"start": factories.at("FR 09:00"), "location": "wang", "room": "wang-group", "team": ["ben"]},
        own=COPING,
        version_of=SESSION,
    ),
    ("POST", SESSION): Sample(
        {"start": factories.at("FR 09:00"), "location": "wang", "room": "wang-group", "team": ["ben"]},
        own=COPING,
        prepare=called_off,
    ),
    ("DELETE", SESSION): Sample(own=COPING, version_of=SESSION),
    ("POST", "/v1/groups/{group}/filling"): Sample(own=COPING),
    ("DELETE", "/v1/groups/{group}/attendees/{patient}"): Sample(own={**COPING, "patient": "sol"}, foreign={"patient": "tam"}),
    ("PUT", "/v1/roster"): Sample(json.loads(roster(2)), months=True),
    ("GET", "/v1/weeks/next"): Sample(months=True),
    ("GET", "/v1/outlook"): Sample(months=True),
    ("POST", "/v1/weeks"): Sample({"weeks": 1}, months=True),
    ("GET", "/v1/scenarios/{scenario}/alerts"): Sample(months=True),
    ("GET", "/v1/absences"): Sample(),
    ("POST", "/v1/absences"): Sample(AWAY),
    ("POST", "/v1/absences/weekly"): Sample({**AWAY, "until": AWAY["from"][:10]}),
    ("GET", "/v1/absences/{absence}"): Sample(prepare=disrupted),
    ("PATCH", "/v1/absences/{absence}"): Sample(AWAY, version_of="/v1/absences/{absence}", prepare=disrupted),
    ("DELETE", "/v1/absences/{absence}"): Sample(prepare=disrupted),
    ("GET", "/v1/closures"): Sample(),
    ("POST", "/v1/closures"): Sample(CLOSED),
    ("GET", "/v1/closures/{closure}"): Sample(prepare=disrupted),
    ("PATCH", "/v1/closures/{closure}"): Sample(CLOSED, version_of="/v1/closures/{closure}", prepare=disrupted),
    ("DELETE", "/v1/closures/{closure}"): Sample(prepare=disrupted),
    ("GET", "/v1/extra-shifts"): Sample(),
    ("POST", "/v1/extra-shifts"): Sample(EXTRA),
    ("GET", "/v1/extra-shifts/{shift}"): Sample(prepare=disrupted),
    ("PATCH", "/v1/extra-shifts/{shift}"): Sample(EXTRA, version_of="/v1/extra-shifts/{shift}", prepare=disrupted),
    ("DELETE", "/v1/extra-shifts/{shift}"): Sample(prepare=disrupted),
    ("POST", "/v1/visits/{visit}/links"): Sample({"days": 3}),
    ("GET", "/v1/visits/{visit}/links"): Sample(),
    ("GET", "/v1/links"): Sample(),
    ("DELETE", "/v1/links/{link}"): Sample(prepare=given),
    **{("GET", f"{FHIR}/{kind}"): Sample(query="" if kind != "Slot" else SLOTS) for kind in RESOURCES},
    **{("POST", f"{FHIR}/{kind}/_search"): Sample(query="" if kind != "Slot" else SLOTS) for kind in RESOURCES},
    **{("GET", f"{FHIR}/{kind}/{{resource}}"): Sample(own={"resource": one}) for kind, one in RESOURCES.items()},
    ("GET", f"{FHIR}/ServiceRequest/{{resource}}"): Sample(months=True, prepare=referred),
    ("POST", FHIR): Sample(REFERRALS, months=True),
    ("POST", f"{FHIR}/ServiceRequest"): Sample(REFERRAL, months=True),
    ("POST", f"{FHIR}/Appointment/$find"): Sample(FIND),
    ("POST", f"{FHIR}/Appointment/$hold"): Sample(PROPOSED, prepare=proposed),
    ("POST", f"{FHIR}/Appointment/$book"): Sample(PROPOSED, prepare=proposed),
    ("PUT", f"{FHIR}/Appointment/{{resource}}"): Sample(CANCELLED, own={"resource": "own"}, version_of=APPOINTMENT),
    ("PATCH", f"{FHIR}/Appointment/{{resource}}"): Sample(CANCEL, own={"resource": "own"}, version_of=APPOINTMENT),
    ("GET", f"{FHIR}/Appointment/{{resource}}/_history"): Sample(own={"resource": "own"}),
    ("GET", f"{FHIR}/Appointment/{{resource}}/_history/{{vid}}"): Sample(own={"resource": "own", "vid": "1.1"}),
}
