"""Whatever a desk does in whatever order, nothing fails, nobody is stuck, and the calendars show what stands."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from icalendar import Calendar
from support import factories
from support.factories import at, group, link, visit
from support.frontdesk import front_desk, wanted
from support.postgres import MIGRATED, PostgresServer

from api.services.accounts.accounts import SYSTEM
from api.services.calendars.contents import render_calendar
from api.services.weeks import planning
from api.services.weeks.planning import PlanRequest
from api.services.weeks.week import load_week
from api.simulation.desk import AtOnce
from api.store.queries import bookings, jobs
from api.store.versioned_cache import CACHE_KEY
from scheduling.scenario import Scenario
from solver import Limits, plan_first_come, solve

WEEK = "test-week"
VISITS = 10
PATIENTS = ("pat", "quin", "rae", "sol", "tam")
TWINS = (("quin", "pat"), ("tam", "sol"))
CLOSED = (("room", "wang-exam-1"), ("room", "wang-group"), ("location", "wang"))
DAYS = ("MO", "TU", "WE", "TH", "FR")
TEAMS = ("ana", "dee", "cy", "ben")
ROOMS = ("wang-exam-1", "wang-exam-2", "wang-consult")
SUNDAY = datetime(2026, 11, 29, 20, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 13, tzinfo=UTC)
LAST = datetime(2026, 12, 4, 20, tzinfo=UTC)

NUMBERS = st.integers(0, VISITS - 1)
CLOCKS = st.sampled_from(("08:00", "09:00", "09:20", "11:20", "13:00", "15:00"))
PLACES = st.builds(
    lambda day, clock, room, team, agreed, why: wanted(
        f"{day} {clock}", room, team, patient_agreed=agreed, **({"override_reason": "asked by the ward"} if why else {})
    ),
    st.sampled_from(DAYS),
    CLOCKS,
    st.sampled_from(ROOMS),
    st.sampled_from(TEAMS),
    st.booleans(),
    st.booleans(),
)


def small_clinic() -> Scenario:
    """Return a week of ten visits, some of them linked, and a session that two may attend."""
    asked = [
        visit(f"v-{number}", PATIENTS[number % len(PATIENTS)], priority="urgent" if number % 3 else "routine")
        for number in range(VISITS)
    ]
    links = [link("v-0", "v-7", min_days=1), link("v-1", "v-8", together=True, min_days=1)]
    meeting = group("coping", "sol", "tam", "rae", capacity=2, month="2026-12")
    return factories.scenario(*asked, *links, meeting, policy=factories.policy(notice_minutes=1440))


class DeskMachine(RuleBasedStateMachine):
    """A desk at which anything may happen in a week.

    Parameters
    ----------
    make_url
        Returns the URL of a store of its own with all tables.
    seconds
        For which a plan is searched; 0: it is made first come, first served.
    """

    def __init__(self, make_url: Callable[[], str], seconds: float) -> None:
        super().__init__()
        self.make_url, self.seconds = make_url, seconds

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        self.desk = self.opened.enter_context(front_desk(self.make_url(), small_clinic(), None, SUNDAY))
        self.names = [f"v-{number}" for number in range(VISITS)]
        self.more = count(VISITS)
        self.changes: list[str] = []
        self.plans: list[str] = []
        self.sets: list[str] = []
        self.merged: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as the scheduler; whatever is asked, the service does not fail."""
        answer = self.desk.ask(method, path, body, **headers)
        assert answer.status_code < 500, (method, path, body, answer.text)
        return answer

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Change something as it stands now."""
        version = self.ask("GET", path.removesuffix("/state")).headers.get("etag", '"0.none"')
        return self.ask(method, path, body, **{"If-Match": version})

    # ---- What a desk does ----

    @rule(number=NUMBERS, place=PLACES)
    def book(self, number: int, place: dict[str, Any]) -> None:
        self.ask("POST", f"/v1/visits/{self.names[number]}/booking", place)

    @rule(number=NUMBERS, place=PLACES)
    def move(self, number: int, place: dict[str, Any]) -> None:
        self.change("PATCH", f"/v1/visits/{self.names[number]}/booking", place)

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        answer = self.change("DELETE", f"/v1/visits/{self.names[number]}/booking")
        if answer.status_code == 200:
            kept = self.ask("POST", f"/v1/scenarios/{WEEK}/freed-places", answer.json()["freed"])
            if kept.status_code == 201:
                assert self.ask("GET", f"/v1/visits/{kept.json()['visit']}/freed-place").status_code == 200

    @rule(number=NUMBERS, taken=st.booleans())
    def answer_an_offer(self, number: int, taken: bool) -> None:
        path = f"/v1/visits/{self.names[number]}/freed-place"
        if taken:
            self.ask("POST", f"{path}/acceptance", {"patient_agreed": True})
        else:
            self.ask("DELETE", path)

    @rule(number=NUMBERS, state=st.sampled_from(("arrived", "done", "no-show")))
    def mark(self, number: int, state: str) -> None:
        self.change("PUT", f"/v1/visits/{self.names[number]}/booking/state", {"state": state})

    @rule(number=NUMBERS)
    def take_back(self, number: int) -> None:
        self.change("DELETE", f"/v1/visits/{self.names[number]}/booking/state")

    @rule(number=NUMBERS, held=st.booleans())
    def hold_or_let_go(self, number: int, held: bool) -> None:
        path = f"/v1/visits/{self.names[number]}"
        version = self.ask("GET", f"{path}/booking").headers.get("etag", '"0.none"')
        self.ask("PUT" if held else "DELETE", f"{path}/pin", **{"If-Match": version})

    @rule(who=st.sampled_from(TEAMS), day=st.sampled_from(DAYS))
    def be_away(self, who: str, day: str) -> None:
        body = {"provider": who, "from": at(f"{day} 00:00"), "to": at(f"{day} 23:50"), "reason": "ill"}
        self._keep_change("absences", self.ask("POST", "/v1/absences", body))

    @rule(
        place=st.sampled_from(CLOSED),
        day=st.sampled_from(DAYS),
    )
    def close(self, place: tuple[str, str], day: str) -> None:
        kind, name = place
        body = {kind: name, "from": at(f"{day} 00:00"), "to": at(f"{day} 12:00"), "reason": "burst pipe"}
        self._keep_change("closures", self.ask("POST", "/v1/closures", body))

    def _keep_change(self, kind: str, answer: Any) -> None:
        if answer.status_code == 201:
            self.changes.append(f"/v1/{kind}/{answer.json()['id']}")

    @rule(number=NUMBERS)
    def undo_a_change_of_the_world(self, number: int) -> None:
        if self.changes:
            assert self.change("DELETE", self.changes.pop(number % len(self.changes))).status_code == 200

    @rule(patient=st.sampled_from(("sol", "tam", "rae")))
    def give_a_seat_back(self, patient: str) -> None:
        self.ask("DELETE", f"/v1/groups/coping/attendees/{patient}")

    @rule(off=st.booleans(), day=st.sampled_from(DAYS), clock=CLOCKS)
    def change_the_session(self, off: bool, day: str, clock: str) -> None:
        body = {"start": at(f"{day} {clock}"), "location": "wang", "room": "wang-group", "team": ["ben"]}
        self.change("DELETE" if off else "PATCH", "/v1/groups/coping/booking", None if off else body)

    @rule(number=NUMBERS, other=NUMBERS, place=PLACES, kind=st.sampled_from(("cancel", "pin", "unpin")))
    def change_several(self, number: int, other: int, place: dict[str, Any], kind: str) -> None:
        """Change several visits together, as the board does, or none of them."""
        changes = [{"kind": "place", "visit": self.names[number], **place}, {"kind": kind, "visit": self.names[other]}]
        version = self.ask("GET", f"/v1/scenarios/{WEEK}/board").headers["etag"]
        answer = self.ask("POST", f"/v1/scenarios/{WEEK}/changes", {"changes": changes}, **{"If-Match": version})
        if answer.status_code == 201:
            self.sets.append(answer.json()["id"])

    @rule(number=NUMBERS)
    def reverse_several(self, number: int) -> None:
        if self.sets:
            self.ask("POST", f"/v1/changes/{self.sets.pop(-1 - number % len(self.sets))}/reversal")

    @rule(pair=st.sampled_from(TWINS))
    def merge_or_part(self, pair: tuple[str, str]) -> None:
        """Two records turn out to be one patient's, or, on the same day, to be two's."""
        patient, into = pair
        if patient in self.merged:
            parted = self.ask("DELETE", f"/v1/patients/{patient}/merge")
            self.merged -= {patient} if parted.status_code == 204 else set()
        elif self.ask("POST", f"/v1/patients/{patient}/merge", {"into": into}).status_code == 200:
            self.merged.add(patient)

    @rule(number=NUMBERS)
    def refer_for_today(self, number: int) -> None:
        """Somebody has to be seen today; where there is no place, others give way, or nobody can."""
        if self.desk.clock.now < MONDAY:
            self.desk.clock.pass_by(hours=(MONDAY - self.desk.clock.now) / timedelta(hours=1))
        body = {"patient": self._name_patient(number), "service": "consult"}
        answer = self.ask("POST", "/v1/referrals", body)
        if answer.status_code == 201:
            self.names[number] = answer.json()["visit"]
            if answer.json()["booking"] is None:
                self.ask("POST", f"/v1/visits/{self.names[number]}/displacement")

    def _name_patient(self, number: int) -> str:
        """Return who a visit of a number is for: the record that stays, where two are one."""
        patient = PATIENTS[number % len(PATIENTS)]
        return dict(TWINS)[patient] if patient in self.merged else patient

    @rule()
    def plan_again(self) -> None:
        """Ask for a plan; whoever publishes it may do so much later."""
        context, asked = self.desk.context, PlanRequest(WEEK, Limits(max(self.seconds, 0.1), 1, deterministic=True))
        with context.database.reading() as session:
            made_of = planning.prepare_plan(session, asked, context.clock())
        start = made_of.standing
        made = solve(made_of.scenario, asked.limits, start) if self.seconds else plan_first_come(made_of.scenario, start)
        with context.database.writing() as session:
            row = planning.request_plan(session, AtOnce(context.clock), SYSTEM, asked, made_of, context.clock())
            jobs.finish_job(session, row.id, row.epoch, made, context.clock())
            self.plans.append(row.id)

    @rule(number=NUMBERS)
    def publish(self, number: int) -> None:
        if self.plans:
            plan = self.plans.pop(-1 - number % len(self.plans))
            answer = self.ask("POST", "/v1/publications", {"plan": plan})
            assert answer.status_code in (200, 201, 409), answer.text

    @rule()
    def plan_again_and_publish(self) -> None:
        """What was just planned is published: nothing can have come between."""
        self.plan_again()
        answer = self.ask("POST", "/v1/publications", {"plan": self.plans.pop()})
        assert answer.status_code == 201, answer.text

    @rule(hours=st.integers(1, 9))
    def let_time_pass(self, hours: int) -> None:
        if self.desk.clock.now < LAST:
            self.desk.clock.pass_by(hours=hours)

    # ---- Nobody is stuck ----

    @rule(number=NUMBERS)
    def help_somebody(self, number: int) -> None:
        """From whatever state, a patient is given a new time, or their visit is withdrawn."""
        name = self.names[number]
        state = self._settle(name)
        answer = self.ask("POST", f"/v1/visits/{name}/offers", {"count": 1})
        assert answer.status_code == 200, (state, answer.text)
        for offer in answer.json()["offers"]:
            place = {key: offer["place"][key] for key in ("start", "location", "room", "team", "supervisors")}
            taken = self.ask("POST", f"/v1/visits/{name}/booking", place | {"patient_agreed": offer["short_notice"]})
            assert taken.status_code == 201, (state, place, taken.text)
            return
        assert self.change("DELETE", f"/v1/visits/{name}").status_code == 204
        self.names[number] = f"v-{next(self.more)}"
        asked = visit(self.names[number], self._name_patient(number)).model_dump(mode="json")
        assert self.ask("POST", f"/v1/scenarios/{WEEK}/visits", asked).status_code == 201

    def _settle(self, name: str) -> str | None:
        """Bring a visit to where it waits, or was missed; return how it stood."""
        booked = self.desk.booking(name)
        if booked is None:
            return None
        state: str = booked["state"]
        if state == "offered":
            assert self.ask("DELETE", f"/v1/visits/{name}/freed-place").status_code in (204, 404)
        for _ in range({"done": 2, "arrived": 1}.get(state, 0)):
            assert self.change("DELETE", f"/v1/visits/{name}/booking/state").status_code == 200
        if state in ("booked", "arrived", "done"):
            missed = self.change("PUT", f"/v1/visits/{name}/booking/state", {"state": "no-show"})
            if missed.status_code != 200:
                answer = self.change("DELETE", f"/v1/visits/{name}/booking")
                assert answer.status_code == 200, (state, answer.text)
        return state

    # ---- What holds after every step ----

    @invariant()
    def what_is_kept_of_the_week_is_what_the_store_has(self) -> None:
        if not hasattr(self, "desk"):
            return
        store, now = self.desk.context.database, self.desk.clock()
        with store.reading() as session:
            kept = load_week(session, WEEK, now)
            session.info.pop(CACHE_KEY)
            assert load_week(session, WEEK, now) == kept

    @invariant()
    def calendars_show_what_stands(self) -> None:
        if not hasattr(self, "desk"):
            return
        with self.desk.context.database.reading() as session:
            stands = [one for one in bookings.list_standing(session, WEEK).values() if one.row.kind != "hold"]
            for who in TEAMS:
                told = Calendar.from_ical(render_calendar(session, "provider", who, SUNDAY).decode())
                shown = sorted((event.start, event.end) for event in told.events if event.start > SUNDAY)
                busy = [stand.row for stand in stands if who in (*stand.placing.ids("team"), *stand.placing.ids("supervisor"))]
                assert shown == sorted((row.starts_at, row.ends_at) for row in busy), who


@pytest.fixture
def make_file(migrated_file: Path, tmp_path: Path) -> Callable[[], str]:
    """Return what makes stores on SQLite."""
    numbers = count()

    def make() -> str:
        file = tmp_path / f"store-{next(numbers)}.db"
        shutil.copyfile(migrated_file, file)
        return f"sqlite:///{file}"

    return make


@pytest.fixture
def make_database(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """Return what makes stores on PostgreSQL."""
    made: list[str] = []

    def make() -> str:
        made.append(f"desk-{uuid4().hex[:12]}")
        return postgres.create(made[-1], MIGRATED)

    yield make
    for name in made:
        postgres.drop(name)


def run(make_url: Callable[[], str], examples: int, steps: int, seconds: float = 0.0) -> None:
    """Let a desk do anything, the same each time."""
    drawn = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: DeskMachine(make_url, seconds), settings=drawn)


def test_a_desk_may_do_anything(make_file: Callable[[], str]) -> None:
    run(make_file, 12, 25)


@pytest.mark.heavy
@pytest.mark.parametrize("database", ["make_file", "make_database"])
def test_a_desk_may_do_anything_for_ten_thousand_steps(request: pytest.FixtureRequest, database: str) -> None:
    run(request.getfixturevalue(database), 100, 100, 0.1)
