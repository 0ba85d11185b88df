"""What a scenario's file can have wrong: every fault by its path, all of them at once, and nothing one step this side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.everything import faults_of, full
from support.factories import at, scenario_fields, visit
from support.jsonpaths import DELETED, put


def a_link(before: str, after: str, **changes: Any) -> dict[str, Any]:
    """Build a link's fields, whatever they are."""
    return {"before": before, "after": after, "min_days": 0, "max_days": None, "together": False, **changes}


def a_shift(start: str, end: str, *locations: str) -> dict[str, Any]:
    """Build a shift's fields, whatever they are."""
    return {"start": at(start), "end": at(end), "locations": locations or ["wang"]}


STAMP = 'expected a stamp like "2026-11-30T09:00", got'
DATE = 'expected a date like "2026-11-30", got'
CLOCK = 'expected a clock time like "09:00", got'

SHAPES: tuple[tuple[str, Any, str], ...] = (
    ("surprise", 1, "surprise: unknown key"),
    ("clinic.rooms[2].colour", "red", "clinic.rooms[2].colour: unknown key"),
    ("visits[3].pinned", {"start": at("MO 09:00"), "location": "wang", "room": None}, "visits[3].pinned.team: missing"),
    ("links[0].before", DELETED, "links[0].before: missing"),
    ("visits[3].patient", DELETED, "visits[3].patient: missing"),
    ("providers[0].skills", DELETED, "providers[0].skills: missing"),
    ("visits[1].current.notified", DELETED, "visits[1].current.notified: missing"),
    ("clinic.services[0].room.features", DELETED, "clinic.services[0].room.features: missing"),
    ("policy.late_per_day.soon", DELETED, "policy.late_per_day.soon: missing"),
    ("reserves[0].from", DELETED, "reserves[0].from: missing"),
    ("format", "clinicweave-scenario/2", "format: must be 'clinicweave-scenario/1'"),
    ("id", "", "id: String should have at least 1 character"),
    ("now", "2026-11-30", f'now: {STAMP} "2026-11-30"'),
    ("now", "2026-11-30T09:00:00", f'now: {STAMP} "2026-11-30T09:00:00"'),
    ("now", "2026-11-30T09:00Z", f'now: {STAMP} "2026-11-30T09:00Z"'),
    ("now", "2026-11-30T24:30", 'now: "2026-11-30T24:30": '),
    ("now", "9999-12-31T23:59", "now: the year 9999 is out of range"),
    ("now", "9000-01-01T00:00", "now: the year 9000 is out of range"),
    ("visits[1].current.start", "1899-12-31T23:59", "visits[1].current.start: the year 1899 is out of range"),
    ("visits[0].target", 20261201, f"visits[0].target: {DATE} int"),
    ("visits[0].deadline", "2026-02-29", 'visits[0].deadline: "2026-02-29": '),
    ("visits[0].earliest", "1899-12-31", "visits[0].earliest: the year 1899 is out of range"),
    ("clinic.locations[0].closes", "9:00", f'clinic.locations[0].closes: {CLOCK} "9:00"'),
    ("groups[0].month", "2026-13", "groups[0].month: String should match pattern '^\\d{4}-(0[1-9]|1[0-2])$'"),
    ("clinic.timezone", 5, "clinic.timezone: must be a valid string"),
    ("freeze_minutes", -1, "freeze_minutes: must be greater than or equal to 0"),
    ("freeze_minutes", 1.0, "freeze_minutes: must be a valid integer"),
    ("freeze_minutes", True, "freeze_minutes: must be a valid integer"),
    ("clinic.start_grid_minutes", 0, "clinic.start_grid_minutes: must be greater than or equal to 1"),
    ("clinic.services[0].minutes", 0, "clinic.services[0].minutes: must be greater than or equal to 1"),
    ("clinic.services[0].minutes", 1441, "clinic.services[0].minutes: must be less than or equal to 1440"),
    ("clinic.services[0].turnover", -5, "clinic.services[0].turnover: must be greater than or equal to 0"),
    ("clinic.equipment[1].units", 1.5, "clinic.equipment[1].units: must be a valid integer"),
    ("clinic.travel[0].minutes", "10", "clinic.travel[0].minutes: must be a valid integer"),
    ("links[0].min_days", -1, "links[0].min_days: must be greater than or equal to 0"),
    ("policy.moved", 1_000_001, "policy.moved: must be less than or equal to 1000000"),
    ("policy.unscheduled.cancer", 1_000_001, "policy.unscheduled.cancer: must be less than or equal to 1000000"),
    ("policy.site_change", -1, "policy.site_change: must be greater than or equal to 0"),
    ("visits[0].priority", "high", "visits[0].priority: must be 'routine', 'soon', 'urgent' or 'cancer'"),
    ("visits[0].same_day", "false", "visits[0].same_day: must be a valid boolean"),
    ("patients[0].prefers", "evening", "patients[0].prefers: must be 'morning' or 'afternoon'"),
    ("patients[0].allowed_sites", "boston", "patients[0].allowed_sites: must be a valid array"),
    ("clinic.blocks[0].weekday", "WED", "clinic.blocks[0].weekday: must be 'MO', 'TU', 'WE', 'TH', 'FR', 'SA' or 'SU'"),
    ("providers[1].skills[0]", 3, "providers[1].skills[0]: must be a valid string"),
    ("reserves[1]", None, "reserves[1]: must be an object"),
    ("visits[3].minutes", 0, "visits[3].minutes: must be greater than or equal to 1"),
    ("visits[3].minutes", 1441, "visits[3].minutes: must be less than or equal to 1440"),
    ("visits[3].minutes", 45.5, "visits[3].minutes: must be a valid integer"),
    ("visits[3].unscheduled", 1_000_001, "visits[3].unscheduled: must be less than or equal to 1000000"),
    ("visits[3].unscheduled", -1, "visits[3].unscheduled: must be greater than or equal to 0"),
    ("visits[3].equipment", None, "visits[3].equipment: must be a valid array"),
    ("visits[1].current.supervisors", "dee", "visits[1].current.supervisors: must be a valid array"),
    ("clinic.locations[0].opens", "24:00", 'clinic.locations[0].opens: "24:00": '),
    ("clinic.locations[0].opens", None, f"clinic.locations[0].opens: {CLOCK} NoneType"),
    ("links[0].any_order", 1, "links[0].any_order: must be a valid boolean"),
    ("policy.waiting", 1_000_001, "policy.waiting: must be less than or equal to 1000000"),
    ("policy.notice_minutes", -1, "policy.notice_minutes: must be greater than or equal to 0"),
    ("policy.patient_site_change", 0.5, "policy.patient_site_change: must be a valid integer"),
    ("policy.moved_notified_per_hour", -1, "policy.moved_notified_per_hour: must be greater than or equal to 0"),
    ("policy.notice", 1, "policy.notice: unknown key"),
)
"""One place, what is put there, and how the one fault begins that there is then: faults of shape."""

UNKNOWN: tuple[tuple[str, Any, str], ...] = (
    ("clinic.timezone", "Mars/Olympus", 'clinic.timezone: unknown zone "Mars/Olympus"'),
    ("clinic.timezone", "../../etc/passwd", 'clinic.timezone: unknown zone "../../etc/passwd"'),
    ("clinic.timezone", "America", 'clinic.timezone: unknown zone "America"'),
    ("clinic.timezone", "", 'clinic.timezone: unknown zone ""'),
    ("clinic.locations[2].site", "x", 'clinic.locations[2].site: unknown site "x"'),
    ("clinic.travel[1].between[1]", "x", 'clinic.travel[1].between[1]: unknown location "x"'),
    ("clinic.closures[0].location", "x", 'clinic.closures[0].location: unknown location "x"'),
    ("clinic.rooms[1].location", "x", 'clinic.rooms[1].location: unknown location "x"'),
    ("clinic.equipment[1].location", "x", 'clinic.equipment[1].location: unknown location "x"'),
    ("clinic.recovery[1].location", "x", 'clinic.recovery[1].location: unknown location "x"'),
    ("clinic.services[3].equipment[0]", "x", 'clinic.services[3].equipment[0]: unknown equipment "x"'),
    ("clinic.services[0].locations[1]", "x", 'clinic.services[0].locations[1]: unknown location "x"'),
    ("clinic.blocks[0].location", "x", 'clinic.blocks[0].location: unknown location "x"'),
    ("clinic.blocks[0].services[0]", "x", 'clinic.blocks[0].services[0]: unknown service "x"'),
    ("clinic.blocks[0].providers[0]", "x", 'clinic.blocks[0].providers[0]: unknown provider "x"'),
    ("providers[0].shifts[3].locations[0]", "x", 'providers[0].shifts[3].locations[0]: unknown location "x"'),
    ("patients[0].preferred_site", "x", 'patients[0].preferred_site: unknown site "x"'),
    ("patients[2].allowed_sites[1]", "x", 'patients[2].allowed_sites[1]: unknown site "x"'),
    ("visits[2].patient", "x", 'visits[2].patient: unknown patient "x"'),
    ("visits[2].service", "xyz", 'visits[2].service: unknown service "xyz"'),
    ("visits[0].preferred_providers[1]", "x", 'visits[0].preferred_providers[1]: unknown provider "x"'),
    ("visits[1].required_provider", "x", 'visits[1].required_provider: unknown provider "x"'),
    ("visits[0].pinned.location", "x", 'visits[0].pinned.location: unknown location "x"'),
    ("visits[0].pinned.room", "x", 'visits[0].pinned.room: unknown room "x"'),
    ("visits[0].pinned.team[0]", "x", 'visits[0].pinned.team[0]: unknown provider "x"'),
    ("visits[1].current.location", "x", 'visits[1].current.location: unknown location "x"'),
    ("visits[1].current.room", "x", 'visits[1].current.room: unknown room "x"'),
    ("visits[1].current.team[1]", "x", 'visits[1].current.team[1]: unknown provider "x"'),
    ("links[0].before", "x", 'links[0].before: unknown visit "x"'),
    ("links[1].after", "x", 'links[1].after: unknown visit "x"'),
    ("groups[0].service", "x", 'groups[0].service: unknown service "x"'),
    ("groups[0].candidates[1].patient", "x", 'groups[0].candidates[1].patient: unknown patient "x"'),
    ("groups[0].current.location", "x", 'groups[0].current.location: unknown location "x"'),
    ("groups[0].current.room", "x", 'groups[0].current.room: unknown room "x"'),
    ("groups[0].current.team[0]", "x", 'groups[0].current.team[0]: unknown provider "x"'),
    ("groups[0].current.attendees[0]", "x", 'groups[0].current.attendees[0]: unknown patient "x"'),
    ("reserves[0].service", "x", 'reserves[0].service: unknown service "x"'),
    ("reserves[0].site", "x", 'reserves[0].site: unknown site "x"'),
    ("clinic.closures[2].room", "x", 'clinic.closures[2].room: unknown room "x"'),
    ("clinic.blocks[0].welcomes[0]", "x", 'clinic.blocks[0].welcomes[0]: unknown service "x"'),
    ("providers[3].shifts[0].also[0]", "x", 'providers[3].shifts[0].also[0]: unknown location "x"'),
    ("visits[3].equipment[0]", "x", 'visits[3].equipment[0]: unknown equipment "x"'),
    ("visits[1].current.supervisors[0]", "x", 'visits[1].current.supervisors[0]: unknown provider "x"'),
    ("groups[0].current.supervisors", ["x"], 'groups[0].current.supervisors[0]: unknown provider "x"'),
)
"""Ids that nothing declares."""

REPEATED: tuple[tuple[str, Any, str], ...] = (
    ("clinic.rooms[3].id", "wang-exam-1", "clinic.rooms[3].id: wang-exam-1 is repeated (first at clinic.rooms[0])"),
    (
        "clinic.equipment[1].location",
        "wang",
        "clinic.equipment[1].id: generator wang is repeated (first at clinic.equipment[0])",
    ),
    ("clinic.recovery[1].location", "wang", "clinic.recovery[1].location: wang is repeated (first at clinic.recovery[0])"),
    (
        "clinic.travel[2]",
        {"between": ["yawkey", "wang"], "minutes": 12},
        "clinic.travel[2].between: wang yawkey is repeated (first at clinic.travel[0])",
    ),
    ("visits[3].id", "v3", "visits[3].id: v3 is repeated (first at visits[2])"),
    ("reserves[1].id", "r1", "reserves[1].id: r1 is repeated (first at reserves[0])"),
    ("patients[2].allowed_sites[1]", "boston", 'patients[2].allowed_sites[1]: "boston" is repeated'),
    ("groups[0].candidates[1].patient", "pat", 'groups[0].candidates[1]: "pat" is repeated'),
    ("groups[0].current.attendees[1]", "pat", 'groups[0].current.attendees[1]: "pat" is repeated'),
    ("visits[1].current.team[1]", "ana", 'visits[1].current.team[1]: "ana" is repeated'),
    ("visits[0].preferred_providers[1]", "ana", 'visits[0].preferred_providers[1]: "ana" is repeated'),
    ("clinic.blocks[0].welcomes", ["bedside"] * 2, 'clinic.blocks[0].welcomes[1]: "bedside" is repeated'),
    ("providers[3].shifts[0].also", ["west"] * 2, 'providers[3].shifts[0].also[1]: "west" is repeated'),
    ("visits[3].equipment", ["generator"] * 2, 'visits[3].equipment[1]: "generator" is repeated'),
    ("visits[3].service", "ablation", 'visits[3].equipment[0]: the service "ablation" needs "generator" already'),
    ("visits[1].current.supervisors", ["dee"] * 2, 'visits[1].current.supervisors[1]: "dee" is repeated'),
)
"""Ids that are there twice."""

TIMES: tuple[tuple[str, Any, str], ...] = (
    ("horizon.end", "2026-11-30", "horizon.end: 2026-11-30 is not after the start 2026-11-30"),
    ("horizon.end", "2028-01-05", "horizon.end: more than 400 days after the start"),
    (
        "clinic.closures[0].end",
        at("TU 09:00"),
        "clinic.closures[0].end: 2026-12-01T09:00:00 is not after the start 2026-12-01T09:00:00",
    ),
    ("clinic.blocks[0].end", "12:59", "clinic.blocks[0].end: 12:59:00 is not after the start 13:00:00"),
    (
        "providers[1].busy[1].end",
        at("TU 08:59"),
        "providers[1].busy[1].end: 2026-12-01T08:59:00 is not after the start 2026-12-01T09:00:00",
    ),
    (
        "patients[0].unavailable[0].start",
        at("MO 10:00"),
        "patients[0].unavailable[0].end: 2026-11-30T10:00:00 is not after the start 2026-11-30T10:00:00",
    ),
    ("reserves[1].to", "13:00", "reserves[1].to: 13:00 is not after the start 13:00"),
    ("clinic.locations[0].opens", "17:00", "clinic.locations[0].opens: 17:00 is not before it closes, 17:00"),
    ("clinic.closures[2].location", "west", 'clinic.closures[2].room: "wang-exam-2" is not at "west"'),
    (
        "providers[0].shifts[4]",
        a_shift("FR 08:00", "FR 08:00"),
        "providers[0].shifts[4].end: 2026-12-04T08:00:00 is not after the start 2026-12-04T08:00:00",
    ),
    (
        "providers[0].shifts[10]",
        a_shift("SA 20:00", "2026-12-06T00:01"),
        "providers[0].shifts[10].end: the shift crosses midnight",
    ),
    (
        "providers[0].shifts[10]",
        a_shift("SA 20:00", "2026-12-07T00:00"),
        "providers[0].shifts[10].end: the shift crosses midnight",
    ),
    (
        "providers[0].shifts[10]",
        a_shift("TU 11:59", "TU 12:30", "west"),
        "providers[0].shifts[10]: overlaps providers[0].shifts[1] of the same provider",
    ),
)
"""Ends, shifts and midnight."""

LINKS: tuple[tuple[str, Any, str], ...] = (
    ("links[2]", a_link("v4", "v4"), 'links[2]: links "v4" to itself'),
    ("links[2]", a_link("v3", "v1"), "links[2]: closes a cycle: v1 -> v2 -> v3 -> v1"),
    ("links[1].after", "v1", "links[1]: closes a cycle: v1 -> v2 -> v1"),
    ("links[0].min_days", 8, "links[0].max_days: 7 is below min_days 8"),
    ("links[2]", a_link("v3", "v1", any_order=True), "links[2]: closes a cycle: v1 -> v2 -> v3 -> v1"),
)
"""Links that nothing can keep."""

FAULTS = (*SHAPES, *UNKNOWN, *REPEATED, *TIMES, *LINKS)


def test_a_scenario_with_something_of_everything_is_sound() -> None:
    assert faults_of(json.dumps(full())) == []


@pytest.mark.parametrize(("place", "new", "fault"), FAULTS, ids=[fault for _, _, fault in FAULTS])
def test_a_fault_is_named_by_its_path(place: str, new: Any, fault: str) -> None:
    fields = full()
    put(fields, place, new)
    (found,) = faults_of(json.dumps(fields))
    assert found.startswith(fault)


def test_faults_of_every_kind_are_found_at_once() -> None:
    fields, expected = full(), []
    at_once = {"surprise", "visits[3].pinned", "policy.moved", "freeze_minutes", "clinic.timezone", "visits[2].service"}
    at_once |= {"patients[0].preferred_site", "clinic.rooms[1].location", "clinic.rooms[3].id", "reserves[0].site"}
    at_once |= {"reserves[1].to", "providers[0].shifts[10]", "links[2]", "groups[0].current.room", "horizon.end"}
    for place, new, fault in FAULTS:
        if place in at_once and new is not DELETED:
            at_once.remove(place)
            put(fields, place, new)
            expected.append(fault)
    assert not at_once
    assert sorted(faults_of(json.dumps(fields))) == sorted(expected)


HIDING: tuple[tuple[tuple[tuple[str, Any], ...], tuple[str, ...]], ...] = (
    (
        (("visits[2].colour", "red"), ("visits[2].service", "xyz")),
        ('visits[2].service: unknown service "xyz"', "visits[2].colour: unknown key"),
    ),
    (
        (("providers[1].role", 5), ("providers[1].shifts[0].end", at("MO 07:59"))),
        (
            "providers[1].role: must be a valid string",
            "providers[1].shifts[0].end: 2026-11-30T07:59:00 is not after the start 2026-11-30T08:00:00",
        ),
    ),
    (
        (("horizon.colour", "red"), ("horizon.end", "2026-11-29")),
        ("horizon.end: 2026-11-29 is not after the start 2026-11-30", "horizon.colour: unknown key"),
    ),
    (
        (("visits[0].pinned.start", "soon"), ("visits[0].pinned.room", "x"), ("visits[0].patient", DELETED)),
        (
            f'visits[0].pinned.start: {STAMP} "soon"',
            'visits[0].pinned.room: unknown room "x"',
            "visits[0].patient: missing",
        ),
    ),
    (
        (("patients[2].allowed_sites[0]", 5), ("patients[2].allowed_sites[1]", "x")),
        ("patients[2].allowed_sites[0]: must be a valid string", 'patients[2].allowed_sites[1]: unknown site "x"'),
    ),
    (
        (("groups[0].candidates[0].priority", "high"), ("groups[0].candidates[1].patient", "pat")),
        (
            "groups[0].candidates[0].priority: must be 'routine', 'soon', 'urgent' or 'cancer'",
            'groups[0].candidates[1]: "pat" is repeated',
        ),
    ),
    (
        (("reserves[0].from", "15:00"), ("reserves[0].to", "14:00"), ("reserves[0].site", 5), ("reserves[1].id", "r1")),
        (
            "reserves[0].to: 14:00 is not after the start 15:00",
            "reserves[0].site: must be a valid string",
            "reserves[1].id: r1 is repeated (first at reserves[0])",
        ),
    ),
    (
        (("links[0].together", None), ("links[0].min_days", 8), ("links[1].after", "v1")),
        (
            "links[0].max_days: 7 is below min_days 8",
            "links[0].together: must be a valid boolean",
            "links[1]: closes a cycle: v1 -> v2 -> v1",
        ),
    ),
    (
        (("clinic.name", DELETED), ("clinic.timezone", "Mars"), ("clinic.travel[0].between", ["x"])),
        (
            'clinic.timezone: unknown zone "Mars"',
            'clinic.travel[0].between[0]: unknown location "x"',
            "clinic.travel[0].between[1]: missing",
            "clinic.name: missing",
        ),
    ),
)
"""What is put in some places, and how the faults begin that there are then, in the order of the file."""


@pytest.mark.parametrize(("changes", "expected"), HIDING, ids=[faults[0] for _, faults in HIDING])
def test_a_misshapen_place_hides_no_other_fault_of_its_element(
    changes: tuple[tuple[str, Any], ...], expected: tuple[str, ...]
) -> None:
    fields = full()
    for place, new in changes:
        put(fields, place, new)
    for found, fault in zip(faults_of(json.dumps(fields)), expected, strict=True):
        assert found.startswith(fault)


@pytest.mark.parametrize(
    ("place", "new"),
    [
        ("horizon.start", "2028"),
        ("providers[0].shifts[1].start", 5),
        ("providers[0].shifts[1].end", DELETED),
        ("providers[0].shifts[1]", None),
        ("patients[0].unavailable[0].start", None),
        ("reserves[0].from", "noon"),
        ("links[0].min_days", "many"),
        ("links[0].before", 5),
        ("clinic.travel[0].between[0]", None),
        ("groups[0].candidates[0]", "pat"),
        ("visits[0].preferred_providers", "ana"),
        ("visits[0].pinned", []),
        ("clinic.blocks[0].end", "17"),
        ("clinic.rooms", DELETED),
        ("patients", {}),
        ("clinic", []),
    ],
)
def test_nothing_is_concluded_from_a_misshapen_place(place: str, new: Any) -> None:
    fields = full()
    put(fields, place, new)
    (fault,) = faults_of(json.dumps(fields))
    assert fault.startswith(f"{place}: ")


def test_faults_are_in_the_order_of_the_file() -> None:
    fields = full()
    put(fields, "id", "")
    put(fields, "clinic.rooms[1].location", "x")
    put(fields, "visits[0].patient", "x")
    fields = dict(reversed(fields.items()))
    assert [fault.split(":")[0] for fault in faults_of(json.dumps(fields))] == [
        "visits[0].patient",
        "clinic.rooms[1].location",
        "id",
    ]


def test_a_wrong_type_in_one_element_does_not_make_its_id_unknown_to_others() -> None:
    fields = full()
    put(fields, "patients[0].prefers", 5)
    put(fields, "providers[0].skills", None)
    assert faults_of(json.dumps(fields)) == [
        "providers[0].skills: must be a valid array",
        "patients[0].prefers: must be 'morning' or 'afternoon'",
    ]


def test_two_cycles_are_two_faults() -> None:
    fields = full()
    put(fields, "links", [a_link("v1", "v2"), a_link("v2", "v1"), a_link("v3", "v4"), a_link("v4", "v3")])
    assert faults_of(json.dumps(fields)) == [
        "links[1]: closes a cycle: v1 -> v2 -> v1",
        "links[3]: closes a cycle: v3 -> v4 -> v3",
    ]


@pytest.mark.parametrize(("visits", "more"), [(20, ""), (21, "... -> ")])
def test_a_fault_names_the_first_visits_of_a_long_cycle(visits: int, more: str) -> None:
    links = [a_link(f"v{number}", f"v{(number + 1) % visits}") for number in range(visits)]
    fields = scenario_fields(visits=[visit(f"v{number}") for number in range(visits)], links=links)
    (fault,) = faults_of(json.dumps(fields))
    assert fault.endswith(f" -> v18 -> v19 -> {more}v0")


def test_ways_that_meet_again_are_no_cycle() -> None:
    fields = full()
    put(fields, "links", [a_link("v1", "v2"), a_link("v1", "v3"), a_link("v2", "v4"), a_link("v3", "v4"), a_link("v1", "v4")])
    assert faults_of(json.dumps(fields)) == []


def test_a_chain_of_thousands_of_links_needs_no_stack() -> None:
    visits = [visit(f"v{number}") for number in range(5000)]
    links = [a_link(f"v{number}", f"v{number + 1}") for number in range(4999)]
    fields = scenario_fields(visits=visits, links=links)
    assert faults_of(json.dumps(fields)) == []
    fields["links"].append(a_link("v4999", "v0"))
    (fault,) = faults_of(json.dumps(fields))
    assert fault.startswith("links[4999]: closes a cycle: v0 -> v1 -> v2")


@pytest.mark.parametrize(
    ("place", "new"),
    [
        ("providers[0].shifts[10]", a_shift("SA 20:00", "2026-12-06T00:00")),
        ("providers[0].shifts[10]", a_shift("TU 12:00", "TU 12:30")),
        ("clinic.closures[2]", {"start": at("MO 09:00"), "end": at("FR 09:00"), "location": None, "reason": ""}),
        ("clinic.closures[2].location", None),
        ("clinic.closures[2].location", DELETED),
        ("clinic.closures[2].room", None),
        ("clinic.locations[0].opens", "16:59"),
        ("clinic.locations[0].opens", "00:00"),
        ("visits[3].minutes", 1),
        ("visits[3].minutes", 1440),
        ("visits[3].minutes", 47),
        ("visits[3].unscheduled", 0),
        ("visits[3].unscheduled", 1_000_000),
        ("visits[3].equipment", []),
        ("visits[1].current.supervisors", []),
        ("visits[1].current.supervisors", None),
        ("providers[3].shifts[0].also", ["wang", "yawkey"]),
        ("clinic.blocks[0].welcomes", []),
        ("groups[0].max_days_between", None),
        ("links[0].any_order", True),
        ("clinic.blocks[0].end", "13:01"),
        ("links[0].min_days", 7),
        ("policy.moved", 1_000_000),
        ("policy.moved", 0),
        ("now", None),
        ("now", "8999-12-31T23:59"),
        ("clinic.timezone", "UTC"),
        ("horizon.end", "2026-12-01"),
        ("horizon.end", "2028-01-04"),
    ],
)
def test_one_step_this_side_of_a_fault_is_sound(place: str, new: Any) -> None:
    fields = full()
    put(fields, place, new)
    assert faults_of(json.dumps(fields)) == []
