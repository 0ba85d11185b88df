"""A cancer patient who is referred is seen today, or hears why not; and nobody is lost when two are referred at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from support import factories
from support.factories import booking, provider, reserve, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, furnish, rules
from support.races import at_once, overlaps, two_processes
from support.service import OWN, Clock
from typer.testing import CliRunner

import solver
from api.cli.commands import intake
from api.cli.main import app
from api.services.bookings import decisions
from api.store.database import Database
from api.store.guards import undoing_statements
from api.store.queries import bookings, periods
from scheduling.plan import Plan
from scheduling.requests import Reserve, Visit
from scheduling.scenario import Scenario

TODAY = "2026-12-01"


@pytest.fixture
def asked() -> Scenario:
    """Return a week with two standing visits and a hold for today."""
    standing = [visit("v-1", "pat"), visit(OWN, "sol", preferred_providers=["ana"])]
    return factories.scenario(*standing, visit("v-3", "tam"), reserve("hold-1", "TU"))


@pytest.fixture
def made(asked: Scenario) -> Plan:
    return factories.plan(asked, booking("v-1", "TU 10:00"), booking(OWN, "WE 09:00"), booking("hold-1", "TU 13:00"))


@pytest.fixture
def desk(sqlite_url: str, asked: Scenario, made: Plan) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        yield desk


def refer(desk: FrontDesk, patient: str = "quin", service: str = "consult", **more: Any) -> Any:
    return desk.ask("POST", "/v1/referrals", {"patient": patient, "service": service, **more})


@pytest.fixture(autouse=True)
def known(request: pytest.FixtureRequest) -> None:
    """Let everybody of the default clinic be known to the store, asked for or not."""
    if "desk" in request.fixturenames:
        know(request.getfixturevalue("desk"))


def know(desk: FrontDesk) -> None:
    from api.store.queries import people

    with desk.context.database.writing() as session:
        people.put_patients(session, [factories.patient(name) for name in ("quin", "rae", "tam")], desk.clock())


def test_a_referred_patient_is_seen_today_and_stands_there(desk: FrontDesk) -> None:
    answer = refer(desk)
    told = answer.json()
    assert (answer.status_code, told["reasons"], told["scenario"]) == (201, [], "test-week")
    assert TODAY + "T09:00" <= told["booking"]["start"] < TODAY + "T18"
    found = desk.booking(told["visit"])
    assert found is not None and {key: found[key] for key in told["booking"]} == told["booking"]
    assert answer.headers["location"] == f"/v1/visits/{told['visit']}"
    assert desk.actions(told["visit"])[0] == "visit.refer"


def test_everything_else_stands_as_the_answer_tells(desk: FrontDesk) -> None:
    before = desk.stands()
    told = refer(desk).json()
    moved = {one["id"] for one in told["changes"] if one["kind"] == "visit"}
    assert {name: at for name, at in desk.stands().items() if name not in (moved | {told["visit"]})} == {
        name: at for name, at in before.items() if name not in moved
    }


def test_where_there_is_no_place_the_reason_is_told_and_the_visit_waits(sqlite_url: str, asked: Scenario, made: Plan) -> None:
    away = [factories.provider(one.id, *one.skills, busy=[("TU 00:00", "WE 00:00")]) for one in factories.PEOPLE]
    asked = factories.scenario(*asked.visits, providers=away)
    with front_desk(sqlite_url, asked, None, TUESDAY_AT_NINE) as desk:
        know(desk)
        answer = refer(desk)
        told = answer.json()
        assert (answer.status_code, told["booking"]) == (201, None)
        assert "busy" in {one["rule"] for one in told["reasons"]}
        assert desk.ask("POST", f"/v1/visits/{told['visit']}/offers", {}).json()["offers"] == []


def test_a_new_patient_comes_with_the_referral_and_only_once(desk: FrontDesk) -> None:
    new = {"name": "Uma", "allowed_sites": ["boston"]}
    assert refer(desk, "uma", new_patient=new).json()["booking"] is not None
    again = refer(desk, "uma", new_patient=new)
    assert (again.status_code, again.json()["errors"][0]["path"]) == (422, "body.new_patient")
    assert refer(desk, "uma").status_code == 201


def test_what_there_is_not_is_named(desk: FrontDesk) -> None:
    assert refer(desk, "nobody").status_code == 404
    wrong = refer(desk, service="nothing")
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "body.service")


def test_nobody_is_referred_on_a_day_that_no_scenario_has(desk: FrontDesk) -> None:
    desk.clock.pass_by(days=6)
    assert refer(desk).status_code == 409


def test_a_clinician_refers_own_patients_only(desk: FrontDesk) -> None:
    body = {"service": "consult"}
    own = desk.ask("POST", "/v1/referrals", body | {"patient": "sol"}, desk.clinician)
    foreign = desk.ask("POST", "/v1/referrals", body | {"patient": "quin"}, desk.clinician)
    assert (own.status_code, foreign.status_code) == (201, 403)


def test_one_key_refers_once(desk: FrontDesk) -> None:
    body = {"patient": "quin", "service": "consult"}
    twice = [desk.ask("POST", "/v1/referrals", body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert twice[0].status_code == 201 and twice[0].content == twice[1].content
    assert sum(name.startswith("referral-") for name in desk.stands()) == 1


def disturbed(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Let somebody else change the week while the next referrals are decided."""
    insert: Callable[..., Any] = solver.insert_visits
    calls: list[int] = []

    def slow(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) <= times:
            with desk.context.database.writing() as session:
                periods.touch(session, "test-week")
        return insert(*arguments, **more)

    monkeypatch.setattr(solver, "insert_visits", slow)
    return calls


def test_a_referral_that_loses_a_race_is_decided_again(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = disturbed(desk, monkeypatch, 2)
    assert (refer(desk).status_code, len(calls)) == (201, 3)


def test_without_deciding_again_the_race_is_lost(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "TRIES", 1)
    disturbed(desk, monkeypatch, 1)
    before = desk.stands()
    assert refer(desk).status_code == 409
    assert desk.stands() == before


def test_patients_referred_at_once_are_all_seen(store_url: str, asked: Scenario, made: Plan) -> None:
    names = ("quin", "rae", "tam")
    together = Barrier(len(names))
    with front_desk(store_url, asked, made, TUESDAY_AT_NINE) as desk:
        know(desk)

        def send(name: str) -> Any:
            together.wait()
            return refer(desk, name).json()

        with ThreadPoolExecutor(len(names)) as pool:
            told = list(pool.map(send, names))
        stands = desk.stands()
    assert all(one["booking"] for one in told) and {one["visit"] for one in told} <= set(stands)


def scarce_day() -> tuple[Scenario, Plan]:
    """Return a week whose Tuesday has two places left, one of them held."""
    away, but_for_two = [("TU 00:00", "WE 00:00")], [("TU 00:00", "TU 13:00"), ("TU 14:20", "WE 00:00")]
    people = [
        factories.provider(one.id, *one.skills, busy=but_for_two if one.id == "ana" else away) for one in factories.PEOPLE
    ]
    asked = factories.scenario(visit("v-1", "pat"), reserve("hold-1", "TU", service="consult"), providers=people)
    return asked, factories.plan(asked, booking("v-1", "WE 10:00"), booking("hold-1", "TU 13:00", "wang-consult"))


def newcomer(name: str) -> dict[str, Any]:
    """Return the referral of somebody who is new."""
    return {"patient": name, "service": "consult", "new_patient": {"name": "N", "allowed_sites": ["boston"]}}


def expect_both_seen(store: Database, answers: list[Any]) -> None:
    """Hold what two were told against each other and the store: one has the place that was held, nobody is lost."""
    assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
    places = [answer.json()["booking"] for answer in answers]
    starts = sorted(place and place["start"][-5:] for place in places)
    assert starts == ["13:00", "13:40"], [answer.text for answer in answers]
    with store.reading() as session:
        assert ("hold", "hold-1", "") not in bookings.list_standing(session, "test-week")
    assert overlaps(store) == []


def referred_at_once(store: Database, rounds: int) -> None:
    """Let two patients be referred at once, each through a process of its own, on a day with one free place and one hold."""
    asked, plan = scarce_day()
    clock = Clock()
    clock.now = TUESDAY_AT_NINE
    scheduler, _ = furnish(store, asked, plan, clock)
    url = store.url.render_as_string(hide_password=False)
    with two_processes(url, scheduler, 2, TUESDAY_AT_NINE) as processes:
        for number in range(rounds):

            def send(client: int, number: int = number) -> Any:
                return processes[client].post("/v1/referrals", json=newcomer(f"p-{number}-{client}"))

            answers = at_once(send, 2)
            expect_both_seen(store, answers)
            with store.writing() as session:
                for answer in answers:
                    row = bookings.find_booking(session, ("visit", answer.json()["visit"], ""))
                    assert row is not None
                    bookings.cancel(session, row.id, clock.now)
                periods.touch(session, asked.id)


def test_of_two_referred_at_once_in_two_processes_one_gets_the_hold(store: Database) -> None:
    referred_at_once(store, 1)


@pytest.mark.heavy
def test_of_two_referred_at_once_in_two_processes_one_gets_the_hold_and_nobody_is_lost(store: Database) -> None:
    referred_at_once(store, 20)


@pytest.fixture
def scarce(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontDesk]:
    """Return a desk on the scarce day at which two decide at once, as only two processes do, each on the same week."""
    insert: Callable[..., Any] = solver.insert_visits
    together, calls = Barrier(2), count()

    def insert_together(*arguments: Any, **more: Any) -> Any:
        made = insert(*arguments, **more)
        if next(calls) < 2:
            together.wait()
        return made

    monkeypatch.setattr(solver, "insert_visits", insert_together)
    monkeypatch.setattr(decisions, "_DECIDING", nullcontext())
    with front_desk(sqlite_url, *scarce_day(), TUESDAY_AT_NINE) as desk:
        yield desk


def send_two(desk: FrontDesk) -> list[Any]:
    return at_once(lambda number: desk.ask("POST", "/v1/referrals", newcomer(f"p-{number}")), 2)


def leave_out_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    touch: Callable[..., Any] = periods.touch
    monkeypatch.setattr(periods, "touch", lambda session, identifier, expected=None: touch(session, identifier))


def test_who_decided_on_what_is_no_more_decides_again(scarce: FrontDesk) -> None:
    expect_both_seen(scarce.context.database, send_two(scarce))


def test_where_the_version_is_not_looked_at_the_database_refuses_and_it_is_decided_again(
    scarce: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_the_version(monkeypatch)
    expect_both_seen(scarce.context.database, send_two(scarce))


def test_without_version_and_constraint_both_get_the_hold(scarce: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_the_version(monkeypatch)
    with scarce.context.database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
    answers = send_two(scarce)
    with pytest.raises(AssertionError):
        expect_both_seen(scarce.context.database, answers)
    assert len({answer.json()["booking"]["start"] for answer in answers}) == 1
    assert overlaps(scarce.context.database) != []


def narrow(*visits: Visit, free: tuple[str, str], reserves: tuple[Reserve, ...] = ()) -> Scenario:
    """Return a week in which ana alone works, on Tuesday in some hours."""
    away = [provider(one.id, *one.skills, busy=[("MO 00:00", "SA 00:00")]) for one in factories.PEOPLE if one.id != "ana"]
    hours = [("MO 00:00", free[0]), (free[1], "SA 00:00")]
    return factories.scenario(*visits, *reserves, providers=[provider("ana", "pain", busy=hours), *away])


def test_a_hold_that_has_begun_gives_its_time_to_who_is_referred(sqlite_url: str) -> None:
    asked = narrow(free=("TU 08:40", "TU 09:40"), reserves=(reserve("hold-1", "TU", "08:00"),))
    with front_desk(sqlite_url, asked, factories.plan(asked, booking("hold-1", "TU 08:40")), TUESDAY_AT_NINE) as desk:
        know(desk)
        told = refer(desk).json()
        assert told["booking"]["start"] == TODAY + "T09:00"
        assert told["visit"] in desk.stands()


def crowded(priority: str = "routine", **more: Any) -> tuple[Scenario, Plan]:
    """Return a week whose Tuesday has one place, somebody at it, and somebody else who has to be seen that day."""
    wanted = {"priority": "cancer", "earliest": TODAY, "deadline": TODAY, "same_day": True, **more}
    standing = visit("v-1", "pat", "consult", priority=priority)
    asked = narrow(standing, visit("v-2", "quin", "consult", **wanted), free=("TU 13:00", "TU 13:40"))
    return asked, factories.plan(asked, booking("v-1", "TU 13:00", "wang-consult"))


def displace(desk: FrontDesk, **headers: str) -> Any:
    return desk.ask("POST", "/v1/visits/v-2/displacement", **headers)


def week_version(desk: FrontDesk) -> int:
    with desk.context.database.reading() as session:
        return periods.get_period(session, "test-week").version


def test_one_call_makes_room_and_says_whom_to_call(sqlite_url: str) -> None:
    with front_desk(sqlite_url, *crowded(), TUESDAY_AT_NINE) as desk:
        answer = displace(desk)
        told = answer.json()
        assert (answer.status_code, told["booking"]["start"], told["call"]) == (201, TODAY + "T13:00", ["pat"])
        assert [(one["id"], one["difference"]) for one in told["changes"]] == [("v-1", "dropped")]
        assert (set(desk.stands()), desk.actions("v-2")) == ({"v-2"}, ["visit.refer"])


@pytest.mark.parametrize(("priority", "pinned"), [("cancer", False), ("routine", True)])
def test_a_day_proven_not_to_take_it_is_refused_with_the_rules_in_the_way_and_nothing_changes(
    sqlite_url: str, priority: str, pinned: bool
) -> None:
    with front_desk(sqlite_url, *crowded(priority), TUESDAY_AT_NINE) as desk:
        if pinned:
            assert desk.change("PUT", "pin", "v-1").status_code == 200
        version = week_version(desk)
        answer = displace(desk)
        told = answer.json()
        assert (answer.status_code, told["type"]) == (409, "urn:problem-type:clinicweave:no-room")
        assert "proven" in told["detail"] and rules(answer) == {"busy"}
        assert (set(desk.stands()), week_version(desk)) == ({"v-1"}, version)


def test_one_key_makes_room_once_and_afterwards_there_is_a_place_already(sqlite_url: str) -> None:
    with front_desk(sqlite_url, *crowded(), TUESDAY_AT_NINE) as desk:
        twice = [displace(desk, **{"Idempotency-Key": "k"}) for _ in range(2)]
        assert twice[0].status_code == 201 and twice[0].content == twice[1].content
        assert (displace(desk).status_code, set(desk.stands())) == (409, {"v-2"})


def test_nobody_gives_way_to_who_can_wait(sqlite_url: str) -> None:
    with front_desk(sqlite_url, *crowded(same_day=False), TUESDAY_AT_NINE) as desk:
        answer = displace(desk)
        assert (answer.status_code, "can wait" in answer.json()["detail"], set(desk.stands())) == (409, True, {"v-1"})


@pytest.mark.parametrize(("priority", "code", "said"), [("routine", 0, "Call pat."), ("cancer", 5, "busy: ")])
def test_room_is_made_at_the_terminal(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, priority: str, code: int, said: str
) -> None:
    with front_desk(sqlite_url, *crowded(priority), TUESDAY_AT_NINE) as desk:
        monkeypatch.setattr(intake, "opened", lambda: nullcontext(desk.context))
        ran = CliRunner().invoke(app, ["intake", "make-room", "v-2"])
        assert (ran.exit_code, said in ran.output) == (code, True), ran.output


def test_who_would_give_way_is_told_before_they_do(sqlite_url: str) -> None:
    asked, plan = crowded()
    with front_desk(sqlite_url, asked, plan, TUESDAY_AT_NINE) as desk:
        before = desk.stands()
        told = desk.ask("POST", "/v1/visits/v-2/displacement/judgement").json()
        assert told["booking"]["start"] == TODAY + "T13:00"
        judgement = told["judgement"]
        assert [call["patient"] for call in judgement["call"]] == ["pat"] and judgement["applicable"]
        assert {change["id"] for change in judgement["differences"]} == {"v-1", "v-2"}
        assert desk.stands() == before
        made = displace(desk).json()
        assert made["booking"] == told["booking"] and made["call"] == ["pat"]


def test_that_nobody_can_give_way_is_told_by_the_dry_run_too(sqlite_url: str) -> None:
    asked, plan = crowded("cancer")
    with front_desk(sqlite_url, asked, plan, TUESDAY_AT_NINE) as desk:
        tried = desk.ask("POST", "/v1/visits/v-2/displacement/judgement")
        assert (tried.status_code, tried.json()["type"]) == (409, "urn:problem-type:clinicweave:no-room")
