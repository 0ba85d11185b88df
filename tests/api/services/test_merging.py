"""Two records of one patient become one, with all that is booked of them, and two again on the same day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.outbox import give_addresses, send_all
from support.service import SECRET
from typer.testing import CliRunner

from api.cli.main import app
from api.store.queries import programmes
from api.store.tables import (
    AttendanceRow,
    BookingRow,
    EpisodeRow,
    InvitationRow,
    MemberRow,
    OccupancyRow,
    ReferralOutRow,
    VisitRow,
    WaitingRow,
)
from scheduling.care.programmes import Programme


@contextmanager
def open_desk(url: str) -> Iterator[FrontDesk]:
    """Yield a week: pat and quin, who are one, overlap on Tuesday, share a session, and quin is in another session too."""
    asked = factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "quin"),
        visit("v-3", "quin"),
        group("coping", "pat", "quin", "sol"),
        group("family", "quin", "sol"),
    )
    made = factories.plan(
        asked,
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 09:00", "wang-exam-2", "dee"),
        booking("v-3", "WE 09:00"),
        session("coping", "TH 09:00", "pat quin sol"),
        session("family", "FR 09:00", "quin sol"),
    )
    with front_desk(url, asked, made) as desk:
        yield desk


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.heavy)])
def desk(request: pytest.FixtureRequest) -> Iterator[FrontDesk]:
    with open_desk(request.getfixturevalue(f"{request.param}_url")) as desk:
        yield desk


def merge(desk: FrontDesk, patient: str = "quin", into: str = "pat") -> Any:
    return desk.ask("POST", f"/v1/patients/{patient}/merge", {"into": into})


def undo(desk: FrontDesk, patient: str = "quin") -> Any:
    return desk.ask("DELETE", f"/v1/patients/{patient}/merge")


def items(desk: FrontDesk, patient: str) -> list[str]:
    return [item["id"] for item in desk.ask("GET", f"/v1/patients/{patient}/visits").json()["items"]]


def impossible(desk: FrontDesk) -> set[str]:
    tasks = desk.ask("GET", "/v1/tasks").json()["items"]
    return {task["subject"] for task in tasks if task["kind"] == "booking-impossible"}


def attendees(desk: FrontDesk, name: str) -> list[str]:
    return list(desk.ask("GET", f"/v1/groups/{name}/booking").json()["attendees"])


def kept(desk: FrontDesk) -> list[object]:
    """Return whose everything is, as the store has it."""
    with desk.context.database.reading() as rows:
        taken = rows.exec(select(OccupancyRow).where(OccupancyRow.kind == "patient")).all()
        visits = rows.exec(select(VisitRow)).all()
        return sorted(
            [f"{row.booking_id} {row.resource_id} {row.is_doubled}" for row in taken]
            + [f"{row.id} {row.patient_id} {row.document}" for row in visits]
        )


def test_all_of_one_record_is_the_others_and_what_overlaps_is_a_task_each(desk: FrontDesk) -> None:
    merged = merge(desk)
    assert merged.status_code == 200, merged.text
    assert (merged.json()["visits"], merged.json()["groups"]) == (["v-2", "v-3"], ["coping", "family"])
    assert {concern["id"] for concern in merged.json()["concerns"]} == impossible(desk) == {"v-1", "v-2"}
    assert items(desk, "pat") == ["v-1", "v-2", "v-3", "coping", "family"]
    assert items(desk, "quin") == []
    assert (attendees(desk, "coping"), attendees(desk, "family")) == (["pat", "sol"], ["pat", "sol"])
    assert desk.ask("GET", "/v1/patients/quin").json()["merged_into"] == "pat"
    plan = desk.ask("GET", "/v1/scenarios/test-week").json()
    assert {asked["patient"] for asked in plan["visits"]} == {"pat"}


def test_the_same_day_it_is_undone_as_if_it_had_never_been(desk: FrontDesk) -> None:
    before = kept(desk)
    merge(desk)
    assert kept(desk) != before, "control"
    assert undo(desk).status_code == 204
    assert kept(desk) == before
    assert impossible(desk) == set()
    assert (items(desk, "pat"), items(desk, "quin")) == (["v-1", "coping"], ["v-2", "v-3", "coping", "family"])
    assert desk.ask("GET", "/v1/patients/quin").json()["merged_into"] is None
    assert undo(desk).status_code == 409
    assert merge(desk).status_code == 200, "and it can be done once more"


def test_both_databases_let_what_a_merge_finds_doubled_overlap_and_nothing_else(store_url: str) -> None:
    with open_desk(store_url) as desk:
        before = kept(desk)
        assert merge(desk).status_code == 200
        assert desk.move("v-3", "TU 09:10", "wang-exam-3").status_code == 409
        assert undo(desk).status_code == 204
        assert kept(desk) == before


def care_rows(desk: FrontDesk, patient: str) -> dict[str, list[str]]:
    """Return what of care over months is a patient's, by table."""
    tables = (EpisodeRow, MemberRow, WaitingRow, AttendanceRow, ReferralOutRow, InvitationRow)
    with desk.context.database.reading() as rows:
        return {
            table.__tablename__: sorted(
                row.model_dump_json(exclude={"patient_id"})
                for row in rows.exec(select(table).where(table.patient_id == patient))
            )
            for table in tables
        }


def test_care_over_months_goes_with_the_record_and_comes_back(desk: FrontDesk) -> None:
    now, since = desk.clock(), date(2026, 6, 1)
    give_addresses(desk.context.database, now, "quin")
    workshop = Programme(
        id="coping", name="Coping", service="workshop", required=False, capacity=9, min_attendees=1, min_days=20, max_days=40
    )
    with desk.context.database.writing() as rows:
        programmes.put_programmes(rows, [workshop, workshop.changed(id="family")])
        rows.flush()
        booked = rows.exec(select(BookingRow.id).where(BookingRow.subject_id == "family")).one()
        rows.add_all(
            (
                EpisodeRow(
                    id="e-1", patient_id="quin", kind="k", pathway="p", priority="soon", preferred_providers=[], referred_at=now
                ),
                MemberRow(programme_id="coping", patient_id="quin", since=since, until=date(2027, 1, 1), priority="soon"),
                MemberRow(programme_id="coping", patient_id="pat", since=since, priority="routine"),
                WaitingRow(programme_id="family", patient_id="quin", since=since, priority="soon"),
                AttendanceRow(booking_id=booked, patient_id="quin", came=True, noted_at=now),
                ReferralOutRow(id="r-1", patient_id="quin", department="neurology", sent_at=now),
            )
        )
    before = care_rows(desk, "quin"), care_rows(desk, "pat")
    assert all(before[0].values()), "control: there is something of each"
    assert merge(desk).status_code == 200
    assert not any(rows for table, rows in care_rows(desk, "quin").items() if table != "invitations")
    merged = care_rows(desk, "pat")
    assert merged["programme_members"] == before[1]["programme_members"], "of two seats in one programme one is enough"
    assert merged["programme_waiting"] == before[0]["programme_waiting"]
    assert undo(desk).status_code == 204
    after = care_rows(desk, "quin"), care_rows(desk, "pat")
    assert [{**known, "invitations": []} for known in after] == [{**known, "invitations": []} for known in before]


def test_what_happened_since_stays_and_the_visit_that_was_moved_goes_back_where_it_stands(desk: FrontDesk) -> None:
    merge(desk)
    assert desk.move("v-2", "TU 13:00", "wang-exam-2", "dee").status_code == 200
    assert impossible(desk) == set(), "what overlapped is mended"
    assert desk.cancel("v-3").status_code == 200
    assert undo(desk).status_code == 204
    assert items(desk, "quin") == ["v-2", "coping", "family", "v-3"]
    assert desk.stands()["v-2"] == "Tue 18:00"


def test_once_moved_apart_two_bookings_cannot_overlap_again(desk: FrontDesk) -> None:
    merge(desk)
    assert desk.move("v-2", "TU 13:00", "wang-exam-2", "dee").status_code == 200
    assert desk.move("v-2", "TU 09:00", "wang-exam-2", "dee").status_code == 409


def test_on_another_day_it_cannot_be_undone(desk: FrontDesk) -> None:
    merge(desk)
    desk.clock.pass_by(days=1)
    assert undo(desk).status_code == 409


@pytest.mark.parametrize(
    ("patient", "into", "status"),
    [("quin", "quin", 422), ("quin", "nobody", 422), ("nobody", "quin", 404)],
)
def test_whom_nobody_knows_and_oneself_are_refused(desk: FrontDesk, patient: str, into: str, status: int) -> None:
    assert merge(desk, patient, into).status_code == status


def test_of_a_merged_record_nothing_new_is_taken_and_the_other_is_named(desk: FrontDesk) -> None:
    merge(desk)
    assert merge(desk).status_code == 409
    assert merge(desk, "sol", "quin").status_code == 422
    refused = desk.ask("POST", "/v1/intake", {"kind": "follow-up", "patient": "quin"})
    faults = {fault["path"]: fault["detail"] for fault in refused.json()["errors"]}
    assert faults["body.patient"] == 'was merged into "pat": name that one'
    added = desk.ask("POST", "/v1/scenarios/test-week/visits", {"visits": [visit("v-9", "quin").model_dump(mode="json")]})
    assert (added.status_code, added.json()["errors"][0]["path"]) == (422, "visits[0].patient")
    again = json.loads(factories.scenario(visit("v-8", "quin"), id="another").model_dump_json())
    assert "merged into" in desk.ask("POST", "/v1/scenarios", again).text
    version = desk.ask("GET", "/v1/patients/quin").headers["etag"]
    assert desk.ask("PATCH", "/v1/patients/quin", {"prefers": "morning"}, **{"If-Match": version}).status_code == 409
    assert desk.ask("PUT", "/v1/patients/quin/contact", {"email": "a@b.example"}, **{"If-Match": version}).status_code == 409


def test_whoever_is_looked_for_by_the_merged_record_is_the_other(desk: FrontDesk) -> None:
    merge(desk)
    found = desk.ask("GET", "/v1/patients?find=quin").json()["items"]
    assert [patient["id"] for patient in found] == ["pat"]


def test_a_chain_of_merges_comes_apart_from_its_end(desk: FrontDesk) -> None:
    merge(desk)
    assert merge(desk, "pat", "sol").status_code == 200
    assert [patient["id"] for patient in desk.ask("GET", "/v1/patients?find=quin").json()["items"]] == ["sol"]
    assert undo(desk).status_code == 409
    assert undo(desk, "pat").status_code == 204
    assert undo(desk).status_code == 204


def test_the_merged_records_calendar_shows_what_the_other_has(desk: FrontDesk) -> None:
    url = desk.ask("POST", "/v1/patients/quin/feeds", {}).json()["url"].partition("/calendars/")[2]

    def read() -> int:
        desk.clock.pass_by(minutes=20)
        answer = desk.client.get(f"/calendars/{url}")
        assert answer.status_code == 200, answer.text
        return int(answer.text.count("BEGIN:VEVENT"))

    assert read() == 4
    merge(desk)
    assert read() == 5
    undo(desk)
    assert read() == 4


def test_what_moves_is_told_at_the_address_that_stays(desk: FrontDesk) -> None:
    give_addresses(desk.context.database, desk.clock(), "pat")
    send_all(desk.context.database, desk.clock())
    merge(desk)
    told = send_all(desk.context.database, desk.clock() + timedelta(seconds=5))
    assert {(one.invitation.patient_id, one.booking.subject_id) for one in told} == {
        ("pat", "v-2"),
        ("pat", "v-3"),
        ("pat", "family"),
    }


def test_it_is_audited(desk: FrontDesk) -> None:
    merge(desk)
    undo(desk)
    assert desk.actions("quin")[-2:] == ["patient.merge", "patient.unmerge"]


def test_when_somebody_was_born_can_be_put_right(desk: FrontDesk) -> None:
    def patch(born: str | None) -> Any:
        version = desk.ask("GET", "/v1/patients/pat").headers["etag"]
        return desk.ask("PATCH", "/v1/patients/pat", {"birth_date": born}, **{"If-Match": version})

    assert patch("1961-04-12").json()["birth_date"] == "1961-04-12"
    assert [found["id"] for found in desk.ask("GET", "/v1/patients?find=1961-04-12").json()["items"]] == ["pat"]
    assert patch("2061-04-12").status_code == 422
    assert patch(None).json()["birth_date"] is None


def test_the_command_line_merges_and_undoes_it(desk: FrontDesk) -> None:
    url = desk.context.database.url.render_as_string(hide_password=False)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(
            app, ["patient", *arguments], env={"CLINICWEAVE_DATABASE_URL": url, "CLINICWEAVE_SECRET": SECRET}
        )

    merged = run("merge", "quin", "pat", "--json")
    assert merged.exit_code == 0, merged.output
    assert json.loads(merged.stdout)["visits"] == ["v-2", "v-3"]
    assert run("merge", "quin", "pat").exit_code == 2
    assert run("unmerge", "quin").exit_code == 0
    assert items(desk, "quin") == ["v-2", "v-3", "coping", "family"]
