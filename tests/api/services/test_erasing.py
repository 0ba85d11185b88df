"""A patient who is deleted is in no table, sealed or not, and in no calendar; others and the audit stay as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import Session, select
from support import factories
from support.factories import booking, group, patient, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster
from support.outbox import address_of, give_addresses, send_all
from support.service import CHEAP, PASSWORD, SECRET, bearer
from support.stored import NOW, StoredWeek
from support.worked import explain, finish
from typer.testing import CliRunner

from api.access.actor import AccessRole
from api.access.credentials import Signer
from api.cli.main import app
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account, add_token
from api.services.messages.notifications import notify_changes
from api.services.patients.finding import export_record
from api.store import audit
from api.store.columns import new_id
from api.store.database import Database
from api.store.errors import StoreError
from api.store.queries import hl7, tasks
from api.store.tables import BookingRow, EpisodeEventRow, EpisodeRow, PatientRow, metadata
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario

CANARY, NAME, WORDS = "mrn-canary", "Zyxwa Canarius", "canary words"
OTHER = "mrn-canary-2"
"""Somebody else, whose id begins as the patient's does."""

MARKS = (NAME, WORDS, address_of(CANARY))
REASON = "?reason=consent-withdrawn"
SATURDAY = datetime(2026, 12, 5, 14, tzinfo=UTC)


@pytest.fixture
def week() -> Scenario:
    return factories.scenario(
        visit("v-1", CANARY),
        visit("v-2", OTHER),
        visit("v-3", CANARY),
        group("coping", CANARY, OTHER, "sol"),
        group("family", CANARY),
        patients=[patient(CANARY, name=NAME), patient(OTHER)],
    )


@pytest.fixture
def desk(store_url: str, week: Scenario) -> Iterator[FrontDesk]:
    """Return a week that has been, with the patient in whatever tells of one."""
    with front_desk(store_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, CANARY, OTHER, "sol")
        made = factories.plan(
            week,
            booking("v-1", "TU 09:00"),
            booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
            session("coping", "TH 09:00", f"{CANARY} {OTHER} sol"),
            session("family", "FR 09:00", CANARY),
        )
        with desk.context.database.writing() as rows:
            published = StoredWeek(desk.context.database, week).published_in(rows, made)
            notify_changes(rows, published.changes, NOW)
        leave_traces(desk, made)
        desk.clock.now = SATURDAY
        yield desk


def leave_traces(desk: FrontDesk, made: Plan) -> None:
    """Let the patient be told, answer, and be written of wherever one can be."""
    database, signer = desk.context.database, desk.context.signer
    send_all(database, desk.clock())
    version = desk.ask("GET", "/v1/visits/v-1").headers["etag"]
    note = {"note": WORDS, "tags": [WORDS.replace(" ", "-")]}
    assert desk.ask("PATCH", "/v1/visits/v-1", note, **{"If-Match": version}).status_code == 200
    assert desk.ask("POST", "/v1/visits/v-1/links", {}).status_code == 201
    asked = {"kind": "provider", "subject": "ana"}
    for path, body in (("feeds", asked), (f"patients/{CANARY}/feeds", None)):
        assert desk.ask("POST", f"/v1/{path}", body, **{"Idempotency-Key": path}).status_code == 201
    more = {"visits": [visit("v-9", CANARY).model_dump(mode="json")]}
    added = desk.ask("POST", "/v1/scenarios/test-week/visits", more, **{"Idempotency-Key": "a visit"})
    assert added.status_code == 201, added.text
    need = desk.ask("POST", f"/v1/patients/{CANARY}/emergency-accesses", {"reason": f"why: {WORDS}"}, desk.clinician)
    assert need.status_code == 201, need.text
    why = desk.ask("POST", "/v1/visits/v-3/explanations", {}).json()["id"]
    explain(database, why, Reason(rule="room", detail=f"patient {CANARY} is away"))
    finish(database, desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"], lambda asked: made)
    with database.writing() as rows:
        for subject in (("patient", CANARY), ("visit", "v-1"), ("group", "coping")):
            detail = {"patient": CANARY, "reason": "bounced"}
            tasks.add_task(rows, "bounce", subject, detail, NOW).words = signer.sealed(WORDS.encode())
        tasks.add_task(rows, "bounce", ("patient", OTHER), {"patient": OTHER}, NOW)
        for number, (identifier, name) in enumerate(((CANARY, NAME), (OTHER, "Robin"))):
            take_message(rows, signer, str(number), f"PID|1||{identifier}^^^MR||{name}")
        shared = rows.exec(select(BookingRow).where(BookingRow.subject_id == "coping")).one()
        hl7.put_mirror(rows, "ehr", shared.id, {CANARY: {"name": NAME}, OTHER: {"name": "Robin"}}, shared.version)


def take_message(rows: Session, signer: Signer, control_id: str, content: str) -> None:
    """Let a partner's message have come, and be done."""
    sealed = signer.sealed(content.encode())
    hl7.put_in_message(rows, hl7.Received("ehr", control_id, "0", "ADT^A08", sealed, b"MSH|", "done", None), NOW)


def list_marked(desk: FrontDesk, *marks: str) -> set[str]:
    """Return the tables, but for the audit, of which a row holds a mark, sealed or not."""
    marked = set()
    with desk.context.database.reading() as rows:
        for table in metadata.sorted_tables:
            if table.name == "audit":
                continue
            for row in rows.connection().execute(table.select()):
                texts = [desk.context.signer.opened(value) or value if isinstance(value, bytes) else value for value in row]
                text = json.dumps(
                    [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in texts],
                    default=str,
                    ensure_ascii=False,
                ).replace(OTHER, "")
                if any(mark in text for mark in marks):
                    marked.add(table.name)
    return marked


def erase(desk: FrontDesk, who: str = CANARY) -> Any:
    return desk.ask("DELETE", f"/v1/patients/{who}/record{REASON}", headers=make_admin(desk))


def make_admin(desk: FrontDesk) -> dict[str, str]:
    with desk.context.database.writing() as rows:
        name = f"root-{new_id()}"
        account = add_account(rows, SYSTEM, NewAccount(name, AccessRole.ADMIN, None), CHEAP.hash(PASSWORD), None, desk.clock())
        return bearer(add_token(rows, SYSTEM, account.id, "desk", desk.clock() + timedelta(days=1), desk.clock())[0])


def list_kept(desk: FrontDesk, who: str) -> dict[str, Any]:
    """Return what is kept of somebody."""
    with desk.context.database.reading() as rows:
        return export_record(rows, who)


def test_a_deleted_patient_is_in_no_table_and_in_no_calendar(desk: FrontDesk) -> None:
    marked = list_marked(desk, CANARY, *MARKS)
    assert marked >= {"patients", "visits", "occupancies", "messages", "scenarios", "plans", "publications", "tasks"}
    assert marked >= {"idempotency_keys", "hl7_messages_in", "hl7_mirrors", "emergency_accesses", "memberships", "feeds"}
    calendars = []
    for path, body in (("feeds", {"kind": "group", "subject": "coping"}), (f"patients/{CANARY}/feeds", None)):
        address = desk.ask("POST", f"/v1/{path}", body).json()["url"]
        calendars.append(address[address.index("/calendars") :])
    assert [desk.client.get(path).status_code for path in calendars] == [200, 200]
    answer = erase(desk)
    assert answer.status_code == 200, answer.text
    assert answer.json()["deleted"]["visits"] == 3
    assert list_marked(desk, CANARY, *MARKS) == set()
    assert [desk.client.get(path).status_code for path in calendars] == [200, 404]
    assert not any(mark in desk.client.get(calendars[0]).text.replace(OTHER, "") for mark in (CANARY, *MARKS))
    assert erase(desk).status_code == 404


def test_the_file_holds_nothing_of_a_deleted_patient(sqlite_url: str, week: Scenario) -> None:
    with front_desk(sqlite_url, week, None) as desk:
        file = Path(str(desk.context.database.file))
        assert NAME.encode() in file.read_bytes()
        assert erase(desk).status_code == 200
        assert NAME.encode() not in file.read_bytes()


def test_others_and_the_audit_stay_as_they_were(desk: FrontDesk) -> None:
    plans = [plan["id"] for plan in desk.ask("GET", "/v1/plans").json()["items"]]
    before = list_kept(desk, OTHER)
    figures = [desk.ask("GET", f"/v1/plans/{plan}").json()["kpis"] for plan in plans]
    with desk.context.database.reading() as rows:
        entries = [row.hash for row in audit.list_entries(rows)]
    assert erase(desk).status_code == 200
    assert list_kept(desk, OTHER) == before
    assert [desk.ask("GET", f"/v1/plans/{plan}").json()["kpis"] for plan in plans] == figures
    assert desk.ask("GET", "/v1/scenarios/test-week/board").status_code == 200
    assert desk.ask("GET", "/v1/groups/coping/booking").json()["attendees"] == [OTHER, "sol"]
    with desk.context.database.reading() as rows:
        audit.verify(rows)
        after = audit.list_entries(rows)
    assert [row.hash for row in after][: len(entries)] == entries
    (erased,) = [row for row in after if row.action == "patient.erase"]
    assert (erased.object_id, erased.detail["reason"]) == (CANARY, "consent-withdrawn")


def test_a_plan_of_before_can_be_published_and_brings_nobody_back(sqlite_url: str, week: Scenario) -> None:
    with front_desk(sqlite_url, week, None) as desk:
        job = desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"]
        placed = (booking("v-1", "TU 09:00"), booking("v-2", "TU 10:00", "wang-exam-2", "dee"))
        finish(desk.context.database, job, lambda asked: factories.plan(asked, *placed))
        assert erase(desk).status_code == 200
        published = desk.ask("POST", "/v1/publications", {"plan": job})
        assert published.status_code == 201, published.text
        assert desk.stands() == {"v-2": "Tue 15:00"}
        assert list_marked(desk, CANARY, *MARKS) == set()


def test_what_is_to_come_or_under_way_is_cancelled_first(desk: FrontDesk) -> None:
    desk.clock.now = NOW
    refused = erase(desk)
    assert refused.status_code == 409, refused.text
    named = [error["detail"] for error in refused.json()["errors"]]
    assert [text.partition(" on")[0] for text in named] == ['visit "v-1"', 'group "coping"', 'group "family"']
    assert desk.booking("v-1") is not None
    desk.clock.now = SATURDAY
    job = desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"]
    assert job in erase(desk).json()["errors"][0]["detail"]
    assert desk.ask("DELETE", f"/v1/plans/{job}").status_code < 300
    give_addresses(desk.context.database, desk.clock(), CANARY)
    assert erase(desk).status_code == 200


def test_a_patient_who_is_still_to_be_told_is_not_deleted(sqlite_url: str, week: Scenario) -> None:
    made = factories.plan(week, booking("v-1", "TU 09:00"))
    with front_desk(sqlite_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, CANARY)
        with desk.context.database.writing() as rows:
            notify_changes(rows, StoredWeek(desk.context.database, week).published_in(rows, made).changes, NOW)
        send_all(desk.context.database, desk.clock())
        assert desk.cancel("v-1").status_code == 200
        refused = erase(desk)
        assert refused.status_code == 409
        assert "has not left yet" in refused.text
        send_all(desk.context.database, desk.clock() + timedelta(hours=1))
        assert erase(desk).status_code == 200


def test_an_episode_goes_with_its_history_and_with_the_record_that_was_merged(store_url: str) -> None:
    with front_desk(store_url, last_week(), None, FRIDAY_AFTER) as desk:
        assert desk.ask("PUT", "/v1/roster", json.loads(roster(6))).status_code == 200
        for who, kind in ((CANARY, "follow-up"), ("twin", "facet-injection"), (OTHER, "follow-up")):
            answer = desk.ask("POST", "/v1/intake", {"kind": kind, "patient": who, "name": NAME if who != OTHER else "Robin"})
            assert answer.status_code == 201, answer.text
        assert (
            desk.ask("POST", "/v1/intake", {"kind": "group", "patient": CANARY, "programme": "coping-skills"}).status_code
            == 201
        )
        sent = desk.ask("POST", "/v1/intake", {"kind": "referral-out", "patient": CANARY, "department": "neurology"})
        assert sent.status_code == 201, sent.text
        assert desk.ask("POST", "/v1/patients/twin/merge", {"into": CANARY}).status_code == 200
        assert desk.ask("POST", "/v1/weeks", {}).status_code == 201
        assert "merged into" in erase(desk, "twin").text
        assert {"episodes", "episode_events", "merges", "referrals_out"} <= list_marked(desk, CANARY, "twin") | {
            "episode_events"
        }
        answer = erase(desk)
        assert answer.status_code == 200, answer.text
        assert answer.json()["deleted"]["episodes"] == 2
        assert answer.json()["deleted"]["patients"] == 2
        assert list_marked(desk, CANARY, "twin", NAME) == set()
        with desk.context.database.reading() as rows:
            assert {row.patient_id for row in rows.exec(select(EpisodeRow))} == {OTHER}
        with pytest.raises(StoreError), desk.context.database.writing() as rows:
            rows.exec(delete(EpisodeEventRow))


def test_a_restore_does_not_bring_a_patient_back(
    sqlite_url: str, week: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CLINICWEAVE_SECRET", SECRET)
    backup, runner = str(tmp_path / "backup"), CliRunner()
    with front_desk(sqlite_url, week, None) as desk:
        assert runner.invoke(app, ["backup", backup]).exit_code == 0
        ran = runner.invoke(app, ["patient", "erase", CANARY, "--reason", "objection", "--yes"])
        assert (ran.exit_code, list_marked(desk, CANARY, NAME)) == (0, set()), ran.output
    ran = runner.invoke(app, ["restore", backup, "--yes"])
    assert ran.exit_code == 0, ran.output
    with closing(Database(sqlite_url)) as database, database.reading() as rows:
        assert {row.id for row in rows.exec(select(PatientRow))} & {CANARY, OTHER} == {OTHER}
