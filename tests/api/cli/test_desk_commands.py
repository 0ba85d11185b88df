"""The desk on the command line: a week is taken in, planned, published and changed by the use cases that HTTP has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import api.context
from api.cli.commands.desk import _write_csv
from api.reports.agenda import AgendaLine, list_agenda
from scheduling import catalogue
from scheduling.catalogue.sources import TWO_ROOMS, find_shipped_workbook
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario

SUNDAY, MONDAY_NOON = datetime(2026, 11, 29, 11, tzinfo=UTC), datetime(2026, 11, 30, 11, tzinfo=UTC)
NEW = ("--name", "Two Rooms", "--timezone", "Europe/Berlin", "--phone", "", "--sites", "Main", "--first-day", "2026-11-30")


CLOCK = [SUNDAY]
"""The present moment is its last."""


@pytest.fixture
def week(run: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the command line with a new clinic's week in the store: one visit, planned and published on Sunday."""
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(api.context, "create_context", partial(api.context.create_context, clock=lambda: CLOCK[-1]))
    for command in (
        ("init", "my", *NEW, "--format", "toml"),
        ("scenario", "import", "my/clinic.toml"),
        ("plan", "--week", "first-week", "--seconds", "5"),
        ("publish", "first-week"),
    ):
        done = run(*command)
        assert done.code == 0, done.err
    yield run
    del CLOCK[1:]


def test_a_visit_is_moved_cancelled_booked_and_arrives(week: Any) -> None:
    assert [entry["id"] for entry in week("list", "first-week", "--json").json] == ["v-1"]
    moved = week("move", "v-1", "2026-12-01T10:30", "--json").json
    assert (moved["start"], moved["room"], moved["team"]) == ("2026-12-01T10:30", "room-1", ["ada"])
    assert week("list", "first-week", "--day", "tue", "--json").json[0]["start"] == "10:30"
    assert week("cancel", "v-1", "--json").json == {"cancelled": ["v-1"]}
    assert week("list", "first-week", "--json").json == []
    booked = week("book", "v-1", "2026-11-30T15:00", "--json")
    assert booked.json["start"] == "2026-11-30T15:00"
    assert week("arrive", "v-1").code == 2
    CLOCK.append(MONDAY_NOON)
    assert week("arrive", "v-1", "--json").json == {"visit": "v-1", "state": "arrived"}


def test_a_week_is_written_as_it_stands_with_what_was_moved_by_hand(week: Any) -> None:
    assert week("move", "v-1", "2026-12-01T10:30").code == 0
    files = week("scenario", "export", "first-week", "-o", "out", "--json").json
    assert files == {"scenario": "out/first-week.json", "plan": "out/first-week.plan.json"}
    plan = Plan.read(files["plan"], Scenario.read(files["scenario"]))
    assert [f"{visit.start:%d %H:%M}" for visit in plan.visits] == ["01 10:30"]
    assert week("check", *files.values()).code == 0
    assert week("export", *files.values(), "--all", "-o", "out/calendars").code == 0
    assert week("scenario", "export", "other-week").code == 2


def test_a_plan_with_new_visits_in_the_past_says_how_to_plan_from_now(week: Any) -> None:
    assert week("cancel", "v-1").code == 0
    CLOCK.append(MONDAY_NOON)
    planned = week("plan", "--week", "first-week", "--seconds", "5")
    assert "Note: of the new visits 1 would have begun already, like v-1; plan from now: --now 2026-11-30T12:00" in planned.err
    assert "Note" not in week("plan", "--week", "first-week", "--seconds", "5", "--now", "2026-11-30T12:00").err


def test_a_catalogue_that_knows_nothing_of_the_clinic_is_named_where_patients_are_told(week: Any) -> None:
    files = tuple(week("scenario", "export", "first-week", "-o", "out", "--json").json.values())
    text = Path("my/clinic.toml").read_text("utf-8").replace('"first-week"', '"second-week"').replace('"v-1"', '"v-2"')
    Path("my/second.toml").write_text(text, "utf-8")
    telling = (("publish", "first-week"), ("export", *files, "--all", "-o", "out"), ("scenario", "import", "my/second.toml"))
    told = [week(*command) for command in telling]
    assert [answer.code for answer in told] == [0, 0, 0]
    assert all("the catalogue pain-centre says, and it does not know treatment, main." in answer.err for answer in told)
    with catalogue.use_catalogue("my/clinic.toml"):
        told = [week(*command) for command in telling[:2]]
    assert ["Note" in answer.err for answer in told] == [False, False]


def test_a_visit_that_has_begun_moves_no_more_and_that_is_said(week: Any) -> None:
    assert week("move", "v-1", "2026-11-30T10:30").code == 0
    CLOCK.append(MONDAY_NOON)
    told = week("move", "v-1", "2026-12-01T10:30")
    assert (told.code, "began at 2026-11-30 10:30" in told.err) == (2, True)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("move", "v-1", "2026-12-01T05:00"), "no place of visit"),
        (("move", "v-1", "2026-12-01T12:30", "--with", "ada", "--location", "main", "--room", "room-1"), "shift"),
        (("book", "v-1"), "has a place already"),
        (("book", "v-9"), "unknown"),
        (("arrive", "v-9"), "unknown"),
        (("cancel", "v-9"), "unknown"),
        (("publish", "other-week"), "no plan of other-week"),
        (("list", "other-week"), "unknown"),
        (("list", "first-week", "--provider", "zoe"), 'unknown provider "zoe"'),
        (("plan", "--week", "other-week"), "unknown"),
        (("scenario", "import", "my/clinic.toml"), "first-week"),
        (("move", "v-1", "2026-12-01T05:00", "--override", "wanted"), "--override"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(week: Any, command: tuple[str, ...], says: str) -> None:
    before = week("list", "first-week", "--json").json
    refused = week(*command)
    assert refused.code == 2
    assert says in refused.err
    assert week("list", "first-week", "--json").json == before


def test_a_place_against_a_rule_is_taken_for_a_reason(week: Any) -> None:
    place = ("2026-12-01T12:00", "--with", "ada", "--location", "main", "--room", "room-1")
    assert week("move", "v-1", *place).code == 2
    assert week("move", "v-1", *place, "--override", "she stays longer").code == 0


def test_a_week_is_planned_from_a_file_or_from_the_store_and_not_from_both(run: Any) -> None:
    assert run("plan").code == 2
    assert run("plan", "week.json", "--week", "first-week").code == 2
    assert run("plan", "--week", "first-week", "--from", "plan.json").code == 2


def test_the_agenda_has_names_and_takes_a_day_provider_room_or_patient(asked: Scenario, made: Plan) -> None:
    every = list_agenda(asked, made)
    assert [line.id for line in every] == ["v-5", "v-2", "v-1", "hold-1", "coping", "v-3"]
    assert every[4].patients == ("Quin", "Tam")
    assert every[3].what.startswith("held: ")
    assert [line.id for line in list_agenda(asked, made, patient="pat")] == ["v-1", "v-3"]
    assert [line.id for line in list_agenda(asked, made, room="wang-proc-1")] == ["v-3"]
    assert next(line.id for line in list_agenda(asked, made, provider="ana")) == "v-5"
    assert [line.id for line in list_agenda(asked, made, day=every[2].start.date())] == ["v-1", "hold-1"]


def test_a_name_that_looks_like_a_formula_is_none_in_csv() -> None:
    at = datetime.fromisoformat("2026-12-01T09:00")
    line = AgendaLine(at, at, "v", ("=cmd()",), "visit", "here", "", ("Ada",))
    assert "'=cmd()" in _write_csv(("patient",), [line])


def test_a_plan_by_files_treats_the_earlier_one_as_published(run: Any, solving: Any, asked: Scenario, made: Plan) -> None:
    solving.answer = lambda scenario: solving.start
    assert run("plan", "week.json", "--now", "2026-11-30T12:00").code == 2
    done = run("plan", "week.json", "--from", "plan.json", "--now", "2026-11-30T12:00", "-o", "new.json")
    assert done.code == 0, done.err
    answered = Scenario.read("new.scenario.json")
    assert answered.now == datetime.fromisoformat("2026-11-30T12:00")
    assert answered.visits_by_id["v-1"].current is not None
    assert answered.visits_by_id["v-1"].current.start == made.visits_by_id["v-1"].start
    assert check(answered, Plan.read("new.json", answered)).violations == ()


def test_what_if_keeps_its_plan_when_asked(run: Any, solving: Any) -> None:
    solving.answer = lambda scenario: solving.start
    done = run("what-if", "week.json", "plan.json", "--open", "dee:2026-12-05T08:00:2026-12-05T12:00:wang", "-o", "if.json")
    assert done.code == 0, done.err
    answered = Scenario.read("if.scenario.json")
    assert run("check", "if.scenario.json", "if.json").code == 0
    assert len(answered.providers_by_id["dee"].shifts) == 1 + len(Scenario.read("week.json").providers_by_id["dee"].shifts)


def test_the_demo_shows_another_clinic(run: Any, solving: Any) -> None:
    workbook = find_shipped_workbook(TWO_ROOMS)
    assert workbook is not None

    def answer(scenario: Scenario) -> Plan:
        from solver import plan_first_come

        assert catalogue.list_families() == ("assessment", "therapy", "groups")
        return plan_first_come(scenario)

    solving.answer = answer
    done = run("demo", "--clinic", "two-rooms", "--out", "demo")
    assert done.code == 0, done.err
    assert Scenario.read("demo/scenario.json").id == "two-rooms"
    assert "cancer-pain" in catalogue.list_families()
    assert Path("demo/plan.svg").exists()
