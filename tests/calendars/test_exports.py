"""The calendars of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from calendars.exports import export_all, make_plan_calendar
from calendars.feeds import FeedKind
from calendars.uids import Uids
from calendars.wording import format_clock
from scheduling.errors import UnknownId
from scheduling.plan import Plan
from scheduling.scenario import Scenario

Change = Callable[[Callable[[dict[str, Any]], object]], Scenario]
Export = dict[str, bytes]


@pytest.fixture
def export(scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> Export:
    return dict(export_all(scenario, plan, uids, stamp))


def events(content: bytes) -> list[Event]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def unfolded(content: bytes) -> str:
    return content.decode().replace("\r\n ", "")


def staff(export: Export) -> Export:
    return {name: content for name, content in export.items() if not name.startswith("patients/")}


# ------------------------------------------------------------------------------------------------------------- format


def test_lines_end_in_crlf_and_are_folded_at_75_octets(export: Export) -> None:
    for content in export.values():
        assert content.endswith(b"END:VCALENDAR\r\n")
        assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
        assert max(len(line) for line in content.split(b"\r\n")) <= 75


def test_a_calendar_names_its_maker_version_and_scale_and_the_zone_comes_first(export: Export) -> None:
    for content in export.values():
        calendar = Calendar.from_ical(content)
        assert (calendar["VERSION"], calendar["CALSCALE"]) == ("2.0", "GREGORIAN")
        assert calendar["PRODID"]
        names = [component.name for component in calendar.subcomponents]
        assert names == ["VTIMEZONE", *["VEVENT"] * (len(names) - 1)]


def test_an_event_has_all_that_calendars_ask_for(export: Export) -> None:
    for event in (event for content in export.values() for event in events(content)):
        assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", "CATEGORIES"} <= set(event)
        assert (event["STATUS"], event["TRANSP"], event["SEQUENCE"]) == ("CONFIRMED", "OPAQUE", 0)


def test_the_stamp_is_written_in_utc_and_whole_seconds(scenario: Scenario, plan: Plan, uids: Uids) -> None:
    stamp = datetime(2026, 11, 20, 2, 30, 12, 345_678, tzinfo=ZoneInfo("America/New_York"))
    assert b"\r\nDTSTAMP:20261120T073012Z\r\n" in make_plan_calendar("patient", "patient-0013", scenario, plan, uids, stamp)


def test_a_stamp_without_offset_is_refused(scenario: Scenario, plan: Plan, uids: Uids) -> None:
    naive = datetime(2026, 11, 20, 7, 30)  # noqa: DTZ001
    with pytest.raises(ValueError, match="offset"):
        make_plan_calendar("patient", "patient-0013", scenario, plan, uids, naive)


def test_times_are_local_with_the_zone_named(scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> None:
    content = make_plan_calendar("patient", "patient-0011", scenario, plan, uids, stamp)
    assert b"\r\nDTSTART;TZID=America/New_York:20261130T143000\r\n" in content, "when to arrive"
    assert b"\r\nDTEND;TZID=America/New_York:20261130T154500\r\n" in content


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "Etc/GMT+5", "Europe/Dublin", "UTC", "Etc/UTC"])
def test_an_event_takes_place_at_the_plans_instant_in_any_zone(
    zone: str, scenario_with: Change, plan: Plan, uids: Uids, stamp: datetime
) -> None:
    scenario = scenario_with(lambda content: content["clinic"].update(timezone=zone))
    (event,) = events(make_plan_calendar("patient", "patient-0013", scenario, plan, uids, stamp))
    assert event["DTSTART"].dt.astimezone(UTC) == scenario.grid.utc(plan.visits[2].start)
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=45)


def test_names_cannot_break_out_of_their_line(scenario_with: Change, plan: Plan, uids: Uids, stamp: datetime) -> None:
    evil = "Wang\r\nEND:VEVENT\nATTENDEE:mailto:x@example.org\x00\x85\u2028; \\, é" + "ü" * 80

    def change(content: dict[str, Any]) -> None:
        content["clinic"]["name"] = content["clinic"]["services"][0]["name"] = content["providers"][1]["name"] = evil
        content["clinic"]["locations"][0]["name"] = content["groups"][0]["name"] = evil

    for content in dict(export_all(scenario_with(change), plan, uids, stamp)).values():
        lines = unfolded(content).split("\r\n")
        assert not [line for line in lines if line.startswith("ATTENDEE")]
        assert "\x00" not in unfolded(content)
        assert lines.count("END:VEVENT") == len(events(content))
        assert max(len(line) for line in content.split(b"\r\n")) <= 75


def test_the_same_input_gives_the_same_bytes(
    scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime, export: Export
) -> None:
    assert dict(export_all(scenario, plan, uids, stamp)) == export


# ----------------------------------------------------------------------------------------------------------- patients


def test_a_patient_sees_their_visits_and_sessions_by_time(export: Export) -> None:
    starts = [event["DTSTART"].dt.isoformat()[:16] for event in events(export["patients/patient-0007.ics"])]
    assert starts == ["2026-12-01T08:45", "2026-12-02T12:45"], "when to arrive"


def test_heading_and_place_hold_no_clinical_word(scenario: Scenario, export: Export) -> None:
    clinical = {word.casefold() for service in scenario.services.values() for word in re.split(r"\W+", service.name)}
    clinical |= {"coping", "cancer", "opioid", "psychology"}
    clinical -= {"pain"}  # of the centre's own name
    for name, content in export.items():
        shown = " ".join(f"{event['SUMMARY']} {event['LOCATION']}" for event in events(content))
        words = set(re.split(r"\W+", shown.casefold()))
        if name.startswith("patients/"):
            assert not words & clinical, name
        elif events(content):
            assert words & clinical, "control: the words are found where they stand"


def test_heading_is_the_clinic_and_place_the_building_with_its_address(export: Export) -> None:
    shown = {name: [(e["SUMMARY"], e["LOCATION"]) for e in events(content)] for name, content in export.items()}
    heading = "Appointment, Center for Pain Medicine"
    wang = "Wang Ambulatory Care Center, Suite 340, 15 Parkman Street, Boston, MA 02114"
    assert shown["patients/patient-0007.ics"] == [(heading, wang), (heading, wang)]
    assert shown["patients/patient-0013.ics"] == [(heading, "Yawkey Center, 32 Fruit Street, Boston, MA 02114")]


def test_a_patient_is_told_all_that_they_need(export: Export) -> None:
    told = str(events(export["patients/patient-0007.ics"])[0]["DESCRIPTION"])
    for part in (
        "Where: Wang Ambulatory Care Center, Suite 340, 15 Parkman Street",
        "When to arrive: 8:45 AM, 30 minutes before the start at 9:15 AM.",
        "What to bring:\n- A list of all your medicines",
        "Companion: Bring an adult who drives you home",
        "Medicines, food and drink beforehand:\n- If you take a blood thinner",
        "Afterwards: you rest here for about 45 minutes",
        "617-726-8810",
    ):
        assert part in told


def test_the_description_names_the_building_in_full_and_the_way_inside(export: Export) -> None:
    told = str(events(export["patients/patient-0011.ics"])[0]["DESCRIPTION"])
    assert "Where: Yawkey Cancer Center, ask at the entrance for the floor, 32 Fruit Street" in told


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [("T00:05", "12:05 AM"), ("T09:00", "9:00 AM"), ("T11:59", "11:59 AM"), ("T12:00", "12:00 PM"), ("T13:30", "1:30 PM")],
)
def test_patients_read_clock_times_of_twelve_hours(stamp: str, shown: str) -> None:
    assert format_clock(datetime.fromisoformat(f"2026-12-01{stamp}")) == shown


def test_a_bedside_visit_asks_nobody_to_arrive(export: Export) -> None:
    told = str(events(export["patients/patient-0013.ics"])[0]["DESCRIPTION"])
    assert "we come to your bedside" in told
    assert "minutes before" not in told


def test_a_patients_calendar_names_no_other_patient_and_no_id(scenario: Scenario, export: Export) -> None:
    for owner in scenario.patients_by_id:
        text = unfolded(export[f"patients/{owner}.ics"])
        for patient in scenario.patients:
            assert patient.name not in text
            assert patient.id not in text
        assert "Coping" not in text


def test_members_of_a_group_get_the_same_event(export: Export) -> None:
    first = events(export["patients/patient-0007.ics"])[1]
    second = events(export["patients/patient-0011.ics"])[1]
    assert first.to_ical() == second.to_ical()


def test_a_patient_who_does_not_attend_has_no_session(export: Export) -> None:
    assert len(events(export["patients/patient-0013.ics"])) == 1


def test_patient_events_ask_to_be_kept_private(export: Export) -> None:
    classes = {name: {event["CLASS"] for event in events(content)} for name, content in export.items()}
    assert classes["patients/patient-0007.ics"] == {"PRIVATE"}
    assert classes["providers/physician-1.ics"] == {"PUBLIC"}


# -------------------------------------------------------------------------------------------------------------- staff


def test_staff_calendars_hold_neither_names_nor_ids_of_patients(scenario: Scenario, export: Export) -> None:
    everything = "".join(unfolded(content) for content in staff(export).values())
    for patient in scenario.patients:
        assert patient.name not in everything
        assert patient.id not in everything
    assert "visit-1" in everything, "control: what should be there is found"


@pytest.mark.parametrize("identifier", ["visit-patient-0007-1", "PATIENT_0007", "ada.quillfeather/2", "AdaQuillfeather"])
def test_a_visit_id_that_gives_the_patient_away_is_left_out(
    identifier: str, scenario_with: Change, plan: Plan, uids: Uids, stamp: datetime
) -> None:
    scenario = scenario_with(lambda content: content["visits"][0].update(id=identifier))
    renamed = plan.changed(visits=(plan.visits[0].changed(visit=identifier), *plan.visits[1:]))
    everything = "".join(unfolded(c) for c in staff(dict(export_all(scenario, renamed, uids, stamp))).values())
    assert identifier not in everything
    assert "Visit: visit-2" in everything


def test_a_provider_sees_service_room_people_and_visit(export: Export) -> None:
    (event,) = events(export["providers/fellow-1.ics"])
    assert event["SUMMARY"] == "Epidural steroid injection"
    assert event["LOCATION"].startswith("wang-procedure-1, Wang Ambulatory Care Center, Suite 340")
    assert str(event["DESCRIPTION"]).split("\n") == [
        "Service: Epidural steroid injection",
        "Visit: visit-1",
        "Room: wang-procedure-1",
        "Team: Dr. Omar Pike",
        "Supervisor: Dr. Iris Vane",
        "Recovery bay: 45 minutes after",
        "Room cleaning: 10 minutes after",
    ]


def test_a_supervisor_sees_what_they_supervise_marked_as_such(export: Export) -> None:
    headings = [str(event["SUMMARY"]) for event in events(export["providers/physician-1.ics"])]
    assert headings == [
        "Same-day cancer pain consultation",
        "Supervising: Epidural steroid injection",
        "Held: Same-day cancer pain consultation",
        "Inpatient cancer pain consultation",
    ]


def test_one_who_is_named_twice_sees_an_item_once(scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> None:
    twice = plan.visits[0].changed(supervisors=("fellow-1",))
    written = dict(export_all(scenario, plan.changed(visits=(twice, *plan.visits[1:])), uids, stamp))
    assert [str(event["SUMMARY"]) for event in events(written["providers/fellow-1.ics"])] == ["Epidural steroid injection"]


def test_a_hold_is_shown_to_staff_as_held_capacity_and_to_no_patient(export: Export) -> None:
    (hold,) = [event for event in events(export["rooms/yawkey-exam-1.ics"]) if str(event["SUMMARY"]).startswith("Held")]
    assert "nobody is booked" in str(hold["DESCRIPTION"])
    assert "Hold: reserve-1" in str(hold["DESCRIPTION"])
    patients = b"".join(content for name, content in export.items() if name.startswith("patients/"))
    assert b"reserve-1" not in patients
    assert str(hold["UID"]).encode() not in patients


def test_a_group_calendar_names_nobody(scenario: Scenario, export: Export) -> None:
    (event,) = events(export["groups/coping-2026-12.ics"])
    text = unfolded(export["groups/coping-2026-12.ics"])
    assert event["SUMMARY"] == "Monthly behavioral group workshop: Coping skills"
    assert "Seats taken: 2 of 6" in str(event["DESCRIPTION"])
    for person in (*scenario.patients, *scenario.providers):
        assert person.name not in text
        assert person.id not in text


def test_an_item_without_room_is_in_no_rooms_calendar(export: Export) -> None:
    rooms = [event for name, content in export.items() if name.startswith("rooms/") for event in events(content)]
    assert len(rooms) == 4


@pytest.mark.parametrize("kind", ["provider", "room", "patient", "group", "location"])
def test_an_unknown_owner_is_refused(kind: FeedKind, scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> None:
    with pytest.raises(UnknownId) as caught:
        make_plan_calendar(kind, "nobody", scenario, plan, uids, stamp)
    assert (caught.value.kind, caught.value.identifier) == (kind, "nobody")


# ------------------------------------------------------------------------------------------------- changes and export


def test_one_visit_has_one_uid_in_every_calendar(export: Export) -> None:
    uids = {str(events(export[f"{name}.ics"])[0]["UID"]) for name in ("providers/fellow-1", "rooms/wang-procedure-1")}
    assert uids == {str(events(export["patients/patient-0007.ics"])[0]["UID"])}


def test_a_moved_visit_keeps_its_uid_and_its_sequence_rises(
    scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime
) -> None:
    later = timedelta(days=1)
    visit = plan.visits[2]
    moved = plan.changed(visits=(*plan.visits[:2], visit.changed(start=visit.start - later, end=visit.end - later)))
    (before,) = events(make_plan_calendar("patient", "patient-0013", scenario, plan, uids, stamp))
    (after,) = events(make_plan_calendar("patient", "patient-0013", scenario, moved, uids, stamp))
    assert after["UID"] == before["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert before["DTSTART"].dt - after["DTSTART"].dt == later


def test_the_zones_rules_cover_bookings_outside_the_horizon(
    scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime
) -> None:
    visit = plan.visits[2]
    early = visit.changed(start=datetime(2019, 7, 1, 9), end=datetime(2019, 7, 1, 9, 45))  # noqa: DTZ001
    content = make_plan_calendar(
        "patient", "patient-0013", scenario, plan.changed(visits=(*plan.visits[:2], early)), uids, stamp
    )
    onsets = [part["DTSTART"].dt.year for part in Calendar.from_ical(content).timezones[0].subcomponents]
    assert max(onsets) < 2019


def test_the_export_is_every_owners_calendar(
    scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime, export: Export
) -> None:
    assert list(export) == [
        *("providers/physician-1.ics", "providers/fellow-1.ics", "providers/psychologist-1.ics"),
        *("rooms/wang-procedure-1.ics", "rooms/wang-group-1.ics", "rooms/yawkey-exam-1.ics", "rooms/yawkey-exam-2.ics"),
        *("patients/patient-0007.ics", "patients/patient-0011.ics", "patients/patient-0013.ics"),
        "groups/coping-2026-12.ics",
        *("locations/wang.ics", "locations/yawkey.ics"),
    ]
    assert export["providers/fellow-1.ics"] == make_plan_calendar("provider", "fellow-1", scenario, plan, uids, stamp)
    assert export["rooms/wang-group-1.ics"] == make_plan_calendar("room", "wang-group-1", scenario, plan, uids, stamp)
    assert export["patients/patient-0011.ics"] == make_plan_calendar("patient", "patient-0011", scenario, plan, uids, stamp)
    assert export["locations/wang.ics"] == make_plan_calendar("location", "wang", scenario, plan, uids, stamp)
    assert export["groups/coping-2026-12.ics"] == make_plan_calendar("group", "coping-2026-12", scenario, plan, uids, stamp)


def test_an_owner_without_events_has_a_calendar_that_is_empty(export: Export) -> None:
    assert events(export["rooms/yawkey-exam-2.ics"]) == []
    assert b"BEGIN:VTIMEZONE" in export["rooms/yawkey-exam-2.ics"]


def test_ids_that_no_file_system_takes_stay_apart(scenario_with: Change, plan: Plan, uids: Uids, stamp: datetime) -> None:
    strange = ["../../etc/passwd", "CON", "a/b"]

    def change(content: dict[str, Any]) -> None:
        content["clinic"]["rooms"] += [content["clinic"]["rooms"][3] | {"id": room} for room in (*strange, "A/B", "a-b")]

    names = [name for name, _ in export_all(scenario_with(change), plan, uids, stamp)]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert re.fullmatch(r"(providers|rooms|patients|groups|locations)/[A-Za-z0-9_][A-Za-z0-9_.-]*\.ics", name)
