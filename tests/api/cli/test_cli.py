"""The command line: what each command answers, and how it ends."""

from __future__ import annotations

import json
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import factories
from support.processes import COMMAND, environment
from support.service import SECRET as SIGNING_KEY

import api.cli.commands.planning
import api.cli.main
from api.cli.console import MAX_FAULTS
from api.cli.options import generated
from api.runtime.settings import MAX_SOLVE_SECONDS
from scheduling import catalogue
from scheduling.errors import ModelInvalid, RuleBroken
from scheduling.generate import generate
from scheduling.plan import Plan, Reason, Unscheduled
from scheduling.scenario import Scenario

COMMANDS = tuple(example.split()[0] for _, example in api.cli.main.COMMANDS)


def rewritten(file: str, **changes: Any) -> None:
    content = json.loads(Path(file).read_text())
    Path(file).write_text(json.dumps({**content, **changes}))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(run: Any, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0
    assert f"Example: clinicweave {command}" in result.out


def test_the_help_names_the_commands_and_the_exit_codes(run: Any) -> None:
    result = run("--help")
    assert all(f" {command} " in result.out for command in COMMANDS)
    assert "130  interrupted" in result.out


def test_help_does_not_load_the_solver_or_the_calendars() -> None:
    script = "import sys, api.cli.main; print(*(name for name in ('ortools', 'icalendar', 'solver') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_file_that_begins_with_the_mark_of_utf_8_is_read(run: Any) -> None:
    for name in ("week.json", "plan.json"):
        Path(name).write_bytes(b"\xef\xbb\xbf" + Path(name).read_bytes())
    assert run("check", "week.json", "plan.json").code == 0


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("plan.json", "plan.json"), "Error: plan.json: is a plan, where a scenario is wanted"),
        (("week.json", "week.json"), "Error: week.json: is a scenario, where a plan is wanted"),
    ],
)
def test_a_file_of_the_other_kind_is_told_in_one_line(run: Any, files: tuple[str, str], says: str) -> None:
    result = run("check", *files)
    assert (result.code, result.err.strip()) == (2, says)


@pytest.mark.parametrize("command", [("check", "week.json", "plan.json"), ("audit", "verify"), ("serve",)])
def test_a_misspelt_variable_is_refused_with_what_is_near(
    run: Any, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINICWEAVE_CLIENTS", "of the build")
    monkeypatch.setenv("CLINICWEAVE_CATALOG", "own.toml")
    result = run(*command)
    assert (result.code, run.files()) == (2, ["plan.json", "week.json"])
    assert result.err.strip() == ("Error: environment: CLINICWEAVE_CATALOG: is no setting; did you mean CLINICWEAVE_CATALOGUE?")


@pytest.mark.parametrize("command", [("next-week",), ("outlook",)])
def test_before_any_roster_it_is_said_what_to_do_first(run: Any, command: tuple[str, ...], sqlite_url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
        patch.setenv("CLINICWEAVE_SECRET", SIGNING_KEY)
        result = run(*command)
    assert result.code == 2 and "clinicweave roster FILE" in result.err


def test_a_port_in_use_is_a_bad_argument(sqlite_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [*COMMAND, "serve", "--no-worker", "--port", address.partition(":")[2]]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(sqlite_url), capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"Error: {address}: address already in use"


def test_the_version_is_told(run: Any) -> None:
    assert run("--version").out.startswith("clinicweave")


def test_a_version_that_is_not_installed_is_told_too(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise api.cli.main.PackageNotFoundError(name)

    monkeypatch.setattr(api.cli.main, "version", missing)
    assert run("--version").out == "clinicweave (not installed)\n"


def test_plan_shows_a_summary_and_writes_nothing_unasked(run: Any, solving: Any) -> None:
    before = run.files()
    result = run("plan", "week.json")
    assert result.code == 0
    assert "Cost" in result.out and "routine visits planned" in result.out
    assert "cost 3,000 · bound 2,400" in result.err
    assert run.files() == before


def test_plan_writes_the_plan(run: Any, solving: Any, asked: Scenario, made: Plan) -> None:
    result = run("plan", "week.json", "-o", "new/plan.json")
    assert result.code == 0
    assert Plan.read("new/plan.json", asked).model_dump() == made.model_dump()
    assert "new/plan.json" in result.err


def test_plan_may_be_written_to_a_device(run: Any, solving: Any) -> None:
    assert run("plan", "week.json", "-o", "/dev/null").code == 0


def test_plan_as_json_is_the_plan_alone(run: Any, solving: Any, asked: Scenario, made: Plan) -> None:
    result = run("plan", "week.json", "--json")
    assert Plan.parse(result.out, asked).model_dump() == made.model_dump()


def test_plan_passes_its_limits_and_its_start_to_the_solver(run: Any, solving: Any, made: Plan) -> None:
    options = ("--seconds", "2.5", "--workers", "3", "--seed", "7", "--gap", "0.05", "--from", "plan.json")
    assert run("plan", "week.json", *options).code == 0
    limits = solving.limits
    assert (limits.seconds, limits.workers, limits.seed, limits.gap) == (2.5, 3, 7, 0.05)
    assert solving.start.model_dump() == made.model_dump()


def test_plan_passes_the_parameters_of_a_file_to_the_solver(run: Any, solving: Any) -> None:
    Path("parameters.toml").write_text("exact_max_options = 7\n")
    assert run("plan", "week.json", "--parameters", "parameters.toml").code == 0
    assert solving.parameters.exact_max_options == 7
    assert run("plan", "week.json").code == 0
    assert solving.parameters.exact_max_options == 2000


def test_a_bad_parameter_is_named_before_anything_is_solved(run: Any, solving: Any) -> None:
    Path("parameters.toml").write_text("[annealing]\ntime_share = 2\n")
    result = run("plan", "week.json", "--parameters", "parameters.toml")
    assert (result.code, solving.limits) == (2, None)
    assert "parameters.toml" in result.err and "annealing.time_share" in result.err


def test_a_plan_may_start_from_one_of_an_earlier_form_of_the_scenario(run: Any, solving: Any, made: Plan) -> None:
    rewritten(
        "week.json", id="later", visits=[v for v in json.loads(Path("week.json").read_text())["visits"] if v["id"] != "v-2"]
    )
    solving.plan = made.changed(scenario="later", visits=tuple(b for b in made.visits if b.visit != "v-2"))
    assert run("plan", "week.json", "--from", "plan.json").code == 0
    assert [b.visit for b in solving.start.visits] == ["v-1", "v-3", "v-5"]


def test_plan_tells_who_is_not_where_they_stand(run: Any, solving: Any) -> None:
    result = run("plan", "week.json", "--moves", "moves.json")
    assert "Not where they stand: 1" in result.out
    assert "v-1" in result.out and "staying would" in result.out
    (move,) = json.loads(Path("moves.json").read_text())
    assert (move["id"], move["people"], move["finding"]) == ("v-1", ["pat"], "free")


def test_plan_of_a_week_in_which_nobody_stands_yet_tells_no_moves_but_from_an_earlier_plan(
    run: Any, solving: Any, asked: Scenario, made: Plan
) -> None:
    first = asked.changed(visits=tuple(visit.changed(current=None) for visit in asked.visits))
    first.write("first.json")
    factories.plan(first, factories.booking("v-5", "FR 09:00")).write("earlier.json")
    assert "Not where" not in run("plan", "first.json").out
    result = run("plan", "first.json", "--from", "earlier.json")
    assert "Not where they stand: 1" in result.out
    assert "staying would save 33" in result.out  # four days of delay for one change of site; moving costs nothing


def test_a_budget_that_cannot_be_kept_ends_with_three(run: Any, solving: Any, asked: Scenario, made: Plan) -> None:
    asked.changed(policy=factories.policy(max_notified_moves=0)).write("week.json")
    solving.plan = made.changed(status="unknown")
    result = run("plan", "week.json")
    assert result.code == 3
    assert "more than 0 notified patients" in result.err


def test_pins_that_cannot_be_kept_end_with_three_and_their_names(run: Any, solving: Any) -> None:
    pinned = factories.scenario(factories.visit("v-1", pinned=factories.pin("MO 09:00")))
    pinned.write("pinned.json")
    reason = Reason(rule="room-overlap", detail="v-9 is there")
    solving.plan = factories.plan(pinned).changed(status="unknown", unscheduled=(Unscheduled(visit="v-1", reasons=(reason,)),))
    result = run("plan", "pinned.json")
    assert result.code == 3
    assert "v-1: room-overlap: v-9 is there" in result.err


@pytest.mark.parametrize("error", [RuleBroken("room", ["v-1"], "none"), ModelInvalid("no")])
def test_a_defect_of_the_solver_ends_with_four_and_no_plan(run: Any, solving: Any, error: Exception) -> None:
    solving.error = error
    result = run("plan", "week.json", "-o", "new.json", "--json")
    assert (result.code, result.out) == (4, "")
    assert "defect" in result.err
    assert "new.json" not in run.files()


def test_a_search_given_up_ends_with_130(run: Any, solving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> Plan:
        raise KeyboardInterrupt

    monkeypatch.setattr(api.cli.commands.planning, "solve_with_progress", interrupted)
    result = run("plan", "week.json")
    assert (result.code, result.err) == (130, "Interrupted.\n")


def test_check_accepts_a_plan_that_keeps_every_rule(run: Any, made: Plan) -> None:
    result = run("check", "week.json", "plan.json")
    assert result.code == 0
    assert result.out == f"Every rule is kept. Cost {made.cost:,}.\n"
    assert run("check", "week.json", "plan.json", "--json").json["ok"] is True


def test_check_ends_with_one_when_a_rule_is_broken(run: Any, asked: Scenario) -> None:
    factories.plan(asked, factories.booking("v-1", "MO 09:03")).write("broken.json")
    result = run("check", "week.json", "broken.json")
    assert result.code == 1
    assert "start-grid" in result.out
    machine = run("check", "week.json", "broken.json", "--json")
    assert machine.code == 1
    assert {"rule": "start-grid", "ids": ["v-1"], "detail": "starts at 09:03"} in machine.json["violations"]


def test_check_ends_with_one_when_the_cost_is_not_as_stated(run: Any, made: Plan) -> None:
    rewritten("plan.json", cost=made.cost - 1)
    result = run("check", "week.json", "plan.json")
    assert result.code == 1
    assert f"cost is stated as {made.cost - 1:,}" in result.out
    assert run("check", "week.json", "plan.json", "--json").json["stated_cost"] == made.cost - 1


def test_why_tells_what_blocks_a_visit(run: Any, solving: Any) -> None:
    result = run("why", "week.json", "plan.json", "v-4", "--seconds", "3")
    assert result.code == 0
    assert "[every] consult room is taken" in result.out
    assert solving.seconds == 3
    reasons = run("why", "week.json", "plan.json", "v-4", "--json").json["reasons"]
    assert reasons == [{"rule": "room", "detail": "[every] consult room is taken"}]


def test_why_of_a_planned_visit_tells_where_it_is(run: Any, solving: Any) -> None:
    result = run("why", "week.json", "plan.json", "v-1")
    assert (result.code, result.out) == (0, "v-1 is planned on Tuesday 01 December at 09:00, wang-exam-1.\n")
    assert run("why", "week.json", "plan.json", "v-1", "--json").json["planned"]["team"] == ["dee"]
    assert solving.seconds is None


def test_show_draws_every_working_day_or_the_one_asked_for(run: Any) -> None:
    every = run("show", "week.json", "plan.json")
    assert every.code == 0
    assert every.out.count("December 2026") == 4 and every.out.count("November 2026") == 1
    friday = run("show", "week.json", "plan.json", "--day", "fri", "--by", "room")
    assert friday.out.startswith("Friday, 04 December 2026\n")
    assert "wang-proc-1" in friday.out


@pytest.mark.parametrize("day", ["2026-12-04", "fri", "Friday", "FR"])
def test_a_day_may_be_named_in_several_ways(run: Any, day: str) -> None:
    assert run("show", "week.json", "plan.json", "--json", "--day", day).json["days"][0]["date"] == "2026-12-04"


def test_a_weekday_that_occurs_twice_is_refused(run: Any, asked: Scenario, made: Plan) -> None:
    rewritten("week.json", horizon={"start": "2026-11-30", "end": "2026-12-12"})
    result = run("show", "week.json", "plan.json", "--day", "mon")
    assert result.code == 2
    assert "names 2 dates" in result.err


def test_show_as_json_holds_figures_and_entries(run: Any) -> None:
    document = run("show", "week.json", "plan.json", "--day", "fr", "--json").json
    assert document["kpis"]["holds"]["part"] == 1
    rows = {row["id"]: row["entries"] for row in document["days"][0]["rows"]}
    assert [entry["supervised"] for entry in rows["ana"]] == [True]
    assert (rows["cy"][0]["id"], rows["cy"][0]["start"]) == ("v-3", "2026-12-04T13:00")


def test_show_writes_a_picture(run: Any) -> None:
    result = run("show", "week.json", "plan.json", "--svg", "week.svg")
    assert (result.code, result.out) == (0, "")
    assert Path("week.svg").read_bytes().startswith(b"<?xml")


def test_show_warns_of_a_plan_that_breaks_rules_and_shows_it(run: Any, asked: Scenario) -> None:
    factories.plan(asked, factories.booking("v-1", "MO 09:03")).write("broken.json")
    result = run("show", "week.json", "broken.json", "--day", "mo")
    assert result.code == 1
    assert "Monday" in result.out
    assert "breaks rules 1 times" in result.err


@pytest.mark.parametrize(
    ("owner", "events"),
    [(("--provider", "ana"), 4), (("--room", "wang-exam-1"), 3), (("--patient", "pat"), 2), (("--group", "coping"), 1)],
)
def test_export_writes_one_calendar_and_keeps_its_identifiers(run: Any, owner: tuple[str, str], events: int) -> None:
    assert run("export", "week.json", "plan.json", *owner, "-o", "one.ics").code == 0
    first = Path("one.ics").read_bytes()
    assert first.count(b"BEGIN:VEVENT") == events
    assert "plan.uids.json" in run.files()
    assert run("export", "week.json", "plan.json", *owner, "-o", "one.ics").code == 0
    assert Path("one.ics").read_bytes() == first


def told(file: str) -> dict[str, str]:
    """Return the SEQUENCE of each event of a calendar, by its UID."""
    text = Path(file).read_text()
    return dict(zip(re.findall(r"^UID:(.+)$", text, re.M), re.findall(r"^SEQUENCE:(\d+)$", text, re.M), strict=True))


@pytest.mark.parametrize("known", [False, True])
def test_a_plan_made_from_another_keeps_the_identifiers_of_its_events(
    run: Any, solving: Any, asked: Scenario, made: Plan, known: bool
) -> None:
    assert run("export", "week.json", "plan.json", "--patient", "pat", "-o", "old.ics").code == 0
    if known:  # calendars of an earlier plan of that name were written too
        made.write("new.json")
        assert run("export", "week.json", "new.json", "--patient", "pat", "-o", "other.ics").code == 0
        assert not told("other.ics").keys() & told("old.ics").keys()
    (moved,) = factories.plan(asked, factories.booking("v-1", "TU 10:00", team="dee")).visits
    solving.plan = made.changed(visits=tuple(moved if visit.visit == "v-1" else visit for visit in made.visits))
    assert run("plan", "week.json", "--from", "plan.json", "-o", "new.json").code == 0
    assert run("export", "week.json", "new.json", "--patient", "pat", "-o", "new.ics").code == 0
    assert sorted(told("old.ics").values()) == ["0", "0"]
    assert told("new.ics").keys() == told("old.ics").keys()
    assert sorted(told("new.ics").values()) == ["0", "1"]


def test_a_plan_made_from_nothing_has_identifiers_of_its_own(run: Any, solving: Any) -> None:
    assert run("export", "week.json", "plan.json", "--patient", "pat", "-o", "old.ics").code == 0
    assert run("plan", "week.json", "-o", "new.json").code == 0
    assert run("export", "week.json", "new.json", "--patient", "pat", "-o", "new.ics").code == 0
    assert not told("new.ics").keys() & told("old.ics").keys()


def test_export_takes_the_identifiers_of_a_file_that_is_named(run: Any) -> None:
    words = ("export", "week.json", "plan.json", "--uids", "mine.json")
    assert run(*words, "--patient", "pat", "-o", "first.ics").code == 0
    assert "mine.json" in run.files() and "plan.uids.json" not in run.files()
    assert run(*words, "--all", "-o", "all").code == 0
    assert told("all/patients/pat.ics") == told("first.ics")
    assert run("export", "week.json", "plan.json", "--patient", "pat", "-o", "other.ics").code == 0
    assert not told("other.ics").keys() & told("first.ics").keys()


def test_what_is_exported_is_its_owners_alone(run: Any) -> None:
    assert run("export", "week.json", "plan.json", "--all", "-o", "calendars").code == 0
    written = [*Path("calendars").rglob("*"), Path("plan.uids.json"), Path("calendars")]
    assert {stat.S_IMODE(one.stat().st_mode) & 0o077 for one in written} == {0}


def test_export_into_a_directory_names_the_file_after_its_owner(run: Any) -> None:
    Path("calendars").mkdir()
    result = run("export", "week.json", "plan.json", "--provider", "ana", "-o", "calendars", "--json")
    assert result.json == {"files": ["calendars/ana.ics"]}
    assert "calendars/ana.ics" in run.files()


def test_export_of_all_writes_everybodys(run: Any) -> None:
    result = run("export", "week.json", "plan.json", "--all", "-o", "calendars")
    assert result.code == 0
    assert {"calendars/providers/ana.ics", "calendars/groups/coping.ics", "calendars/patients/pat.ics"} <= set(run.files())


def test_export_refuses_a_plan_that_breaks_rules(run: Any, asked: Scenario) -> None:
    factories.plan(asked, factories.booking("v-1", "MO 09:03")).write("broken.json")
    result = run("export", "week.json", "broken.json", "--all", "-o", "calendars")
    assert result.code == 1
    assert not Path("calendars").exists()


@pytest.mark.parametrize("owners", [(), ("--provider", "ana", "--all"), ("--room", "x", "--patient", "pat")])
def test_export_wants_exactly_one_owner(run: Any, owners: tuple[str, ...]) -> None:
    result = run("export", "week.json", "plan.json", "-o", "one.ics", *owners)
    assert result.code == 2
    assert "exactly one" in result.err


def test_generate_is_repeatable_and_its_output_can_be_read(run: Any) -> None:
    first, second = run("generate", "tiny", "--seed", "3"), run("generate", "tiny", "--seed", "3")
    assert first.code == 0
    assert first.out == second.out
    written = run("generate", "tiny", "--seed", "3", "-o", "tiny.json", "--json")
    assert written.json["visits"] == len(Scenario.read("tiny.json").visits)
    assert Scenario.parse(first.out) == Scenario.read("tiny.json")


def test_a_made_up_week_asks_for_the_clinics_least_notice(run: Any) -> None:
    asked = Scenario.parse(run("generate", "tiny", "--seed", "3").out)
    assert asked.policy.notice_minutes == catalogue.get_policy().notice_minutes == 24 * 60
    without = asked.policy.model_copy(update={"notice_minutes": 0})
    assert asked.model_copy(update={"policy": without}) == generate("tiny", 3)


def test_generate_starts_on_the_monday_asked_for(run: Any) -> None:
    result = run("generate", "tiny", "--start", "2027-03-08", "-o", "tiny.json")
    assert result.code == 0
    assert str(Scenario.read("tiny.json").horizon.start) == "2027-03-08"
    assert run("generate", "tiny", "--start", "2027-03-09").code == 2


@pytest.mark.parametrize("file", ["scenario", "plan"])
def test_schema_is_a_json_schema(run: Any, file: str) -> None:
    assert run("schema", file).json["type"] == "object"


def test_demo_writes_everything_and_shows_it(run: Any, solving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generated("tiny", 5, None)
    solving.plan = factories.plan(made)
    result = run("demo", "--out", "d", "--size", "tiny", "--seed", "5", "--seconds", "1")
    assert result.code == 0
    assert {"d/scenario.json", "d/plan.json", "d/plan.svg", "d/plan.uids.json"} <= set(run.files())
    assert "d/calendars/providers/physician-1.ics" in run.files()
    assert "Monday, 30 November 2026" in result.out and "Figures" in result.out
    assert "d/plan.svg" in result.out
    assert solving.limits.seconds == 1


def test_demo_removes_the_calendars_of_an_earlier_one(run: Any, solving: Any) -> None:
    solving.plan = factories.plan(generated("tiny", 0, None))
    for name in ("old.ics", "kept.txt"):
        file = Path("d/calendars/patients") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    result = run("demo", "--out", "d", "--size", "tiny", "--json")
    assert result.json["files"]["plan"] == "d/plan.json"
    assert "d/calendars/patients/old.ics" not in run.files()
    assert "d/calendars/patients/kept.txt" in run.files()


def test_demo_writes_no_plan_that_breaks_a_rule(run: Any, solving: Any) -> None:
    tiny = generated("tiny", 0, None)
    visit = tiny.visits[0].id
    room = tiny.clinic.rooms[0].id
    solving.plan = factories.plan(tiny, factories.booking(visit, "SU- 03:00", room, ""))
    result = run("demo", "--out", "d", "--size", "tiny")
    assert result.code == 1
    assert run.files() == ["d/scenario.json", "plan.json", "week.json"]


BAD = (
    (("check", "none.json", "plan.json"), "none.json: no such file"),
    (("check", "week.json", "none.json"), "none.json: no such file"),
    (("check", ".", "plan.json"), "is a directory"),
    (("plan", "week.json", "--from", "none.json"), "none.json: no such file"),
    (("plan", "week.json", "--seconds", "0"), "0 is not above 0"),
    (("plan", "week.json", "--seconds", "nan"), "nan is not above 0"),
    (("plan", "week.json", "--seconds", "inf"), "inf is not above 0"),
    (("plan", "week.json", "--seconds", str(MAX_SOLVE_SECONDS + 1)), "is not above 0 and at most"),
    (("plan", "week.json", "--seconds", "soon"), "--seconds"),
    (("plan", "week.json", "--workers", "0"), "--workers"),
    (("plan", "week.json", "--workers", "65"), "--workers"),
    (("plan", "week.json", "--gap", "1.01"), "1.01 is not within 0 and 1"),
    (("plan", "week.json", "--gap", "nan"), "nan is not within 0 and 1"),
    (("plan", "week.json", "--seed", "-1"), "--seed"),
    (("plan", "week.json", "-o", "."), "is a directory"),
    (("plan", "week.json", "-o", "plan.json/x.json"), "plan.json"),
    (("why", "week.json", "plan.json", "v-99"), 'unknown visit "v-99"'),
    (("show", "week.json", "plan.json", "--day", "2026-12-25"), "is no planned date"),
    (("show", "week.json", "plan.json", "--day", "f"), "is no planned date"),
    (("show", "week.json", "plan.json", "--by", "patient"), "--by"),
    (("show", "week.json", "plan.json", "--svg", "plan.json/x.svg"), "plan.json"),
    (("export", "week.json", "plan.json", "--room", "nowhere", "-o", "x.ics"), 'unknown room "nowhere"'),
    (("export", "week.json", "plan.json", "--all", "-o", "week.json"), "week.json"),
    (("generate", "huge"), "huge"),
    (("generate", "tiny", "--start", "someday"), "someday"),
    (("schema", "calendar"), "calendar"),
    (("demo", "--out", "week.json"), "week.json"),
    (("replan",), "replan"),
)


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_a_bad_argument_is_one_message_and_exit_code_two(
    run: Any, solving: Any, arguments: tuple[str, ...], message: str
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert solving.limits is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', "\x00", "[" * 5000, '"\ud800"'])
def test_a_file_that_is_no_scenario_is_one_message(run: Any, content: str) -> None:
    Path("week.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    result = run("check", "week.json", "plan.json")
    assert result.code == 2
    assert result.err.startswith("Error: week.json")


def test_a_file_with_many_faults_names_the_first(run: Any) -> None:
    rewritten("week.json", visits=[{}] * 500)
    result = run("check", "week.json", "plan.json")
    assert result.code == 2
    assert len(result.err.splitlines()) == MAX_FAULTS + 2
    assert "more" in result.err.splitlines()[-1]


def test_a_plan_of_another_scenario_is_refused(run: Any, made: Plan) -> None:
    rewritten("plan.json", scenario="other")
    result = run("check", "week.json", "plan.json")
    assert result.code == 2
    assert 'the plan answers "other"' in result.err
