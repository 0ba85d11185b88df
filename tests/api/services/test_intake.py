"""Intake: every kind of request becomes something to plan, every fault is named, and nothing is taken in by half."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlmodel import select
from support.months import FIELDS, Months, asked, in_memory

from api.services.accounts.accounts import SYSTEM
from api.services.intake.kinds import RequestKind, list_kinds
from api.services.intake.request_forms import LocatedRequest, Request
from api.services.intake.requests import accept_requests, find_faults
from api.spreadsheets.referral_sheets import (
    COLUMNS,
    EXAMPLE,
    ReferralSheet,
    examples,
    in_row_order,
    read_sheet,
    write_template,
    xlsx_template,
)
from api.store import audit
from api.store.tables import EpisodeRow, PatientRow
from scheduling import catalogue
from scheduling.errors import InvalidFile

KINDS = list_kinds()
KINDS_BY_ID = {kind.id: kind for kind in KINDS}

TODAY = date(2026, 11, 27)


@pytest.fixture
def desk() -> Iterator[Months]:
    with in_memory() as months:
        yield months


def faults(desk: Months, *requests: Request) -> dict[str, str]:
    with desk.store.reading() as session:
        placed = [LocatedRequest(f"row {number}, ", one) for number, one in enumerate(requests, 2)]
        return {fault.path: fault.message for fault in find_faults(session, placed, desk.now)}


def empty(desk: Months) -> bool:
    with desk.store.reading() as session:
        return not list(session.exec(select(PatientRow.id))) and not list(session.exec(select(EpisodeRow.id)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_a_request_of_every_kind_ends_in_something_that_can_be_planned(desk: Months, kind: RequestKind) -> None:
    taken = desk.refer(kind.id)
    found = desk.build(weeks=4)
    if kind.pathway is not None:
        assert {visit.patient for visit in found.scenario.visits} == {"pat"}
        first = catalogue.get_pathway(kind.pathway).steps[0]
        assert f"{taken.episode}.{first.id}.1" in desk.asked(found.scenario.id)
    elif kind.id == "group":
        assert ["pat"] in [[candidate.patient for candidate in group.candidates] for group in found.scenario.groups]
    else:
        assert taken.referral_out is not None


def test_every_pathway_of_the_catalogue_can_be_asked_for_and_its_services_are_offered(desk: Months) -> None:
    assert {kind.pathway for kind in KINDS} - {None} == {pathway.id for pathway in catalogue.list_pathways()}
    assert len(KINDS_BY_ID) == len(KINDS)
    assert faults(desk, *[asked(kind.id, f"pat-{kind.id}") for kind in KINDS]) == {}


@pytest.mark.parametrize(
    ("request_", "path", "says"),
    [
        (asked("juggling"), "kind", "unknown kind"),
        (asked("follow-up", name=None), "name", "not known yet"),
        (asked("follow-up", preferred_site="mars"), "preferred_site", 'unknown site "mars"; one of boston, waltham'),
        (asked("follow-up", allowed_sites=("boston", "mars")), "allowed_sites", 'unknown site "mars"'),
        (asked("follow-up", preferred_providers=("nobody",)), "preferred_providers", 'unknown provider "nobody"'),
        (asked("follow-up", referred_on=TODAY + timedelta(days=1)), "referred_on", "is after today"),
        (asked("follow-up", referred_on=date(2024, 1, 1)), "referred_on", "days ago"),
        (asked("follow-up", referred_on=TODAY - timedelta(days=367)), "referred_on", "more than 366 days ago"),
        (asked("pump-refill", low_reservoir=None), "low_reservoir", "is missing: pump-refill needs it"),
        (asked("pump-refill", low_reservoir=TODAY - timedelta(days=1)), "low_reservoir", "is past"),
        (asked("follow-up", low_reservoir=FIELDS["low_reservoir"]), "low_reservoir", "is only for pump-refill"),
        (asked("opioid-consultation", referrer=None), "referrer", "is missing"),
        (asked("group", programme="chess"), "programme", "one of coping-skills"),
        (asked("referral-out", department="astrology"), "department", "one of neurosurgery"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_its_field_with_what_would_be_right(
    desk: Months, request_: Request, path: str, says: str
) -> None:
    found = faults(desk, asked("follow-up", "other"), request_)
    assert list(found) == [f"row 3, {path}"] and says in found[f"row 3, {path}"]


def test_a_referral_of_a_year_ago_is_taken_in(desk: Months) -> None:
    long_ago = TODAY - timedelta(days=366)
    assert faults(desk, asked("follow-up", referred_on=long_ago)) == {}
    assert desk.episode(desk.refer("follow-up", referred_on=long_ago).episode or "").referred_on == long_ago


def test_a_patient_who_is_on_the_pathway_already_is_named_and_not_doubled(desk: Months) -> None:
    episode = desk.refer("new-patient-chronic").episode
    assert episode in faults(desk, asked("after-spinal-surgery"))["row 2, kind"]
    with pytest.raises(InvalidFile, match="on this pathway already"):
        desk.refer("new-patient-chronic")
    assert "at row 2" in faults(desk, asked("follow-up", "quin"), asked("follow-up", "quin"))["row 3, kind"]
    for kind, path in (("group", "programme"), ("referral-out", "department")):
        desk.refer(kind, "rae")
        assert "already" in faults(desk, asked(kind, "rae"))[f"row 2, {path}"]
    assert faults(desk, asked("follow-up"), asked("follow-up", "rae")) == {}


def test_who_is_through_with_a_pathway_may_be_referred_to_it_again(desk: Months) -> None:
    episode = desk.refer("follow-up").episode
    desk.tell(episode or "", "stopped")
    assert desk.refer("follow-up").episode != episode


def test_another_name_under_a_known_id_is_refused_and_neither_name_is_told(desk: Months) -> None:
    desk.refer("follow-up")
    found = faults(desk, asked("physical-therapy", name="Somebody Else"))
    assert list(found) == ["row 2, name"] and not {"Somebody", "Patient"} & set(found["row 2, name"].split())
    assert faults(desk, asked("physical-therapy", name="PATIENT pat"), asked("group", name=None)) == {}


def test_waiting_counts_from_the_referral_and_the_priority_may_be_raised(desk: Months) -> None:
    episode = desk.episode(desk.refer("new-patient-chronic", referred_on=date(2026, 11, 10), priority="urgent").episode or "")
    assert (episode.referred_on, episode.priority) == (date(2026, 11, 10), "urgent")
    (step,) = desk.open_steps(episode.id).values()
    assert step.target == date(2026, 11, 10) + timedelta(days=catalogue.get_limits().chronic_due_days)


def test_all_requests_are_taken_in_or_none(desk: Months) -> None:
    with pytest.raises(InvalidFile):
        desk.take(asked("follow-up", "pat"), asked("juggling", "quin"))
    assert empty(desk)
    assert len(desk.take(asked("follow-up", "pat"), asked("physical-therapy", "quin"))) == 2


def test_what_is_taken_in_is_in_the_audit_without_a_name(desk: Months) -> None:
    desk.refer("follow-up")
    with desk.store.reading() as session:
        rows = [row for row in audit.list_entries(session, count=1000) if row.object_id == "pat"]
        audit.verify(session)
    assert [row.action for row in rows] == ["patient.add", "intake.take"]
    assert "Patient pat" not in str([row.detail for row in rows])


# ---- The spreadsheet ----


def sheet_of(*rows: dict[str, object]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([row.get(column) for column in COLUMNS])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def taken_in(desk: Months, sheet: ReferralSheet) -> int:
    with desk.store.writing() as session:
        return len(accept_requests(session, SYSTEM, sheet.requests, desk.now))


def test_the_template_shows_every_kind_and_is_taken_in_once_its_examples_are_real(desk: Months) -> None:
    found = read_sheet(xlsx_template(TODAY), "template")
    assert found.requests == () and {"is an example of the template; delete the row"} == {
        fault.message for fault in found.faults
    }
    assert len(found.faults) == len(KINDS)
    real = [{**row, "patient": row["patient"].removeprefix(EXAMPLE)} for row in examples(TODAY)]
    sheet = read_sheet(sheet_of(*real), "real")
    assert (sheet.faults, [request.request.kind for request in sheet.requests]) == ((), [kind.id for kind in KINDS])
    assert taken_in(desk, sheet) == len(KINDS)


@pytest.mark.parametrize("name", ["referrals.xlsx", "referrals.csv"])
def test_a_template_is_written_as_its_name_ends(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("template") / name
    write_template(file, TODAY)
    assert len(read_sheet(file.read_bytes(), name).faults) == len(KINDS)
    if name.endswith("xlsx"):
        assert load_workbook(file).sheetnames == ["referrals", "columns", "kinds"]


def test_each_bad_row_is_named_by_row_and_column(desk: Months) -> None:
    good = {"kind": "follow-up", "patient": "p-1", "name": "A"}
    sheet = read_sheet(
        sheet_of(
            good,
            {**good, "patient": "p-2", "priority": "very"},
            {"patient": "p-3", "name": "C"},
            {**good, "patient": datetime(2026, 12, 1, tzinfo=UTC).replace(tzinfo=None)},
            {**good, "patient": "p-5", "referred_on": "12/01/2026"},
            {**good, "patient": "p-6", "kind": "juggling"},
            good,
        ),
        "sheet",
    )
    with desk.store.reading() as session:
        found = in_row_order([*find_faults(session, sheet.requests, desk.now), *sheet.faults])
    assert [one.path for one in found] == [
        "row 3, priority",
        "row 4, kind",
        "row 5, patient",
        "row 6, referred_on",
        "row 7, kind",
        "row 8, kind",
    ]
    assert 'a date like "2026-11-30"' in found[3].message


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(sorted(KINDS_BY_ID)), min_size=1, max_size=30), st.sets(st.integers(0, 29), max_size=4))
def test_a_sheet_is_taken_in_whole_or_not_at_all(kinds: list[str], bad: set[int]) -> None:
    with in_memory(weeks=1) as desk:
        rows = [
            {"kind": kind, "patient": f"p-{number}", "name": "N", **{field: FIELDS[field] for field in KINDS_BY_ID[kind].needs}}
            for number, kind in enumerate(kinds)
        ]
        for number in bad:
            if number < len(rows):
                rows[number] |= {"preferred_site": "mars"}
        sheet = read_sheet(sheet_of(*rows), "sheet")
        wrong = sorted(number for number in bad if number < len(rows))
        if wrong:
            with pytest.raises(InvalidFile) as refused:
                taken_in(desk, sheet)
            assert [fault.path for fault in refused.value.faults] == [f"row {number + 2}, preferred_site" for number in wrong]
            assert empty(desk)
        else:
            assert taken_in(desk, sheet) == len(rows)


def test_four_times_as_many_requests_take_some_four_times_as_long(desk: Months) -> None:
    def take_in(count: int) -> float:
        rows = [
            {"kind": KINDS[n % len(KINDS)].id, "patient": f"p-{count}-{n}", "name": f"N {n}"}
            | {field: FIELDS[field] for field in KINDS[n % len(KINDS)].needs}
            for n in range(count)
        ]
        content = sheet_of(*rows)
        began = process_time()
        assert taken_in(desk, read_sheet(content, "sheet")) == count
        return process_time() - began

    gc.disable()  # what other tests have left is no matter of this one
    try:
        assert take_in(2000) < 10 * take_in(500), "each by each it would be 16 times as long"
    finally:
        gc.enable()
