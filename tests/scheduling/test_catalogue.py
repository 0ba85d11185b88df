"""The catalogue: everything that the centre offers is there, whole, and could take place."""

from __future__ import annotations

from datetime import date, time

import pytest

from scheduling import catalogue
from scheduling.catalogue import find_catalogue_faults, parse_toml
from scheduling.catalogue.entries import CatalogueService, Extent, OutsideDepartment, ProviderRole
from scheduling.clinic import Closure, Equipment, Room, RoomNeed, Seat
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.people import Provider
from scheduling.timegrid import stamp

DAY = date(2026, 12, 23)

OFFERED = {
    "evaluation": ["spine-evaluation", "follow-up", "medication-management"],
    "injections": [
        "epidural-steroid-injection",
        "facet-injection",
        "sacroiliac-injection",
        "selective-nerve-root-block",
        "piriformis-injection",
        "trigger-point-injection",
    ],
    "ablation-and-stimulation": [
        "radiofrequency-ablation",
        "peripheral-nerve-stimulation",
        "scs-trial",
        "scs-lead-removal",
        "scs-implant",
        "stimulator-programming",
        "drg-trial",
        "drg-lead-removal",
        "drg-implant",
    ],
    "cancer-pain": [
        "cancer-consult",
        "inpatient-consult",
        "advanced-cancer-visit",
        "sdd-trial",
        "sdd-trial-check",
        "sdd-implant",
        "pump-refill",
    ],
    "behavioral-medicine": [
        "behavioral-intake",
        "cognitive-therapy",
        "relaxation-training",
        "family-education",
        "behavioral-group",
        "psychiatry-follow-up",
    ],
    "assessments": ["scs-assessment", "opioid-risk-assessment"],
    "opioids": ["opioid-consultation", "opioid-transition"],
    "work": [
        "work-injury-medical",
        "work-injury-psychology",
        "work-injury-function",
        "work-re-entry",
        "physical-therapy",
    ],
}


def a_provider(identifier: str, role: str) -> Provider:
    return Provider(
        id=identifier,
        name=identifier,
        role=role,
        skills=("evaluation",),
        trainee=False,
        max_minutes_per_day=420,
        shifts=(),
        busy=(),
    )


def an_offer(**changes: object) -> CatalogueService:
    return catalogue.get_service("radiofrequency-ablation").changed(**changes)


def faults_of(*offers: CatalogueService) -> list[Fault]:
    roles = (ProviderRole(id="r", name="R", skills=("interventional",), trainee=False, max_minutes_per_day=1, source="ours"),)
    rooms = (Room(id="wang-procedure-1", location="wang", kind="procedure", features=("fluoroscopy",), seats=1),)
    pools = (Equipment(id="rf-generator", location="wang", units=1), Equipment(id="rf-generator", location="west", units=0))
    return list(find_catalogue_faults(offers, roles, rooms, pools))


def test_every_service_of_every_family_is_offered_and_nothing_else():
    found = {
        name: [s.id for s in catalogue.list_services() if catalogue.get_family(s.id) == name]
        for name in catalogue.list_families()
    }
    assert {name: sorted(ids) for name, ids in found.items()} == {name: sorted(ids) for name, ids in OFFERED.items()}


def test_spine_evaluation_tells_new_onset_chronic_and_pain_after_surgery_apart():
    onsets = {indication.id: indication.onset for indication in catalogue.get_service("spine-evaluation").indications}
    assert onsets == {"new-onset": "new-onset", "chronic": "chronic", "after-spinal-surgery": "chronic"}
    assert (catalogue.get_limits().due_days("new-onset"), catalogue.get_limits().due_days("chronic")) == (5, 21)


@pytest.mark.parametrize(
    ("service", "minutes", "turnover", "recovery", "attention", "team"),
    [
        ("spine-evaluation", 60, 0, 0, 1, [("evaluation",)]),
        ("radiofrequency-ablation", 60, 15, 45, 2, [("interventional",)]),
        ("drg-implant", 120, 30, 60, 2, [("neuromodulation",)]),
        ("behavioral-intake", 60, 0, 0, 1, [("psychology",), ("psychiatry",)]),
        ("advanced-cancer-visit", 45, 0, 0, 1, [("cancer-pain",), ("palliative-care",)]),
        ("opioid-risk-assessment", 45, 0, 0, 1, [("psychology", "psychiatry")]),
        ("behavioral-group", 90, 15, 0, 1, [("psychology",)]),
    ],
)
def test_a_service_keeps_its_figures(service, minutes, turnover, recovery, attention, team):
    found = next(s for s in catalogue.list_services() if s.id == service)
    assert (found.minutes, found.turnover, found.recovery, found.attention) == (minutes, turnover, recovery, attention)
    assert [seat.any_of for seat in found.team] == team


def test_only_the_bedside_consult_needs_no_room_and_the_cancer_clinic_is_at_yawkey_with_whom_it_welcomes():
    assert [s.id for s in catalogue.list_services() if s.room is None] == ["inpatient-consult"]
    assert [s.id for s in catalogue.list_services() if s.locations == ("inpatient",)] == ["inpatient-consult"]
    assert [s.id for s in catalogue.list_services() if "yawkey" in s.locations] == ["cancer-consult", "advanced-cancer-visit"]
    (block,) = catalogue.build_clinic().blocks
    assert block.welcomes == ("cancer-consult",)


def test_the_clinic_weighs_the_patients_day_and_tells_them_a_day_before():
    policy = catalogue.get_policy()
    assert (policy.waiting, policy.patient_site_change, policy.moved_notified_per_hour) == (1, 12, 1)
    assert policy.notice_minutes == 24 * 60


def test_the_parts_of_a_work_injury_come_in_any_order():
    pathway = catalogue.get_pathway("work-injury")
    assert [lag.link("a", "b").any_order for _, _, lag in pathway.lags()] == [True, True]
    others = (lag for other in catalogue.list_pathways() if other.id != "work-injury" for _, _, lag in other.lags())
    assert not any(lag.link("a", "b").any_order for lag in others)


@pytest.mark.parametrize("extent", ["full", "small"])
def test_every_service_has_room_device_bay_and_role_at_each_of_its_locations(extent: Extent):
    clinic = catalogue.build_clinic(extent=extent)
    skills = {skill for role in catalogue.list_roles() for skill in role.skills}
    for service in clinic.services:
        assert all(not skills.isdisjoint(seat.any_of) for seat in service.team)
        for location in service.locations:
            assert service.room is None or any(r.location == location and service.room.suits(r) for r in clinic.rooms)
            assert all(any((p.id, p.location) == (d, location) for p in clinic.equipment) for d in service.equipment)
            assert service.recovery == 0 or any(r.location == location and r.bays for r in clinic.recovery)


def test_rooms_are_numbered_on_within_location_and_kind():
    rooms = {room.id: room for room in catalogue.build_clinic().rooms}
    assert len(rooms) == len(catalogue.build_clinic().rooms) == 38
    assert rooms["wang-procedure-3"].features == ("fluoroscopy", "ultrasound")
    assert rooms["wang-procedure-4"].features == ("ultrasound",)
    assert rooms["west-procedure-2"].features == ("ultrasound",)
    assert len(catalogue.build_clinic(extent="small").rooms) == 15


def test_the_cancer_clinic_reserves_the_staff_of_its_roles_alone():
    staff = [
        a_provider("physician-1", "physician"),
        a_provider("cancer-2", "cancer-pain-physician"),
        a_provider("palliative-1", "palliative-physician"),
    ]
    (block,) = catalogue.build_clinic(staff).blocks
    assert block.providers == ("cancer-2", "palliative-1")
    assert (block.location, block.weekday, block.start, block.end) == ("yawkey", "WE", time(13), time(17))
    assert block.services == ("advanced-cancer-visit",)


def test_the_clinic_takes_the_closures_that_it_is_given():
    closure = Closure(start=stamp(DAY, 780), end=stamp(DAY, 1080), location="west", reason="training")
    assert catalogue.build_clinic(closures=[closure]).closures == (closure,)
    assert catalogue.build_clinic().closures == ()


def test_travel_within_the_campus_is_shorter_than_to_waltham():
    minutes = {frozenset(travel.between): travel.minutes for travel in catalogue.build_clinic().travel}
    assert minutes[frozenset(("wang", "yawkey"))] == 10
    assert minutes[frozenset(("wang", "west"))] == 45


def test_four_workshops_must_run_each_month_and_family_education_may():
    required = {workshop.id: workshop.required for workshop in catalogue.list_workshops()}
    assert required == {
        "coping-skills": True,
        "self-management": True,
        "function": True,
        "quality-of-life": True,
        "family-education": False,
    }


def test_eight_departments_take_referrals_and_none_is_a_service():
    ids = {referral.id for referral in catalogue.list_outside_departments()}
    assert len(ids) == 8
    assert ids.isdisjoint(service.id for service in catalogue.list_services())


def test_the_policy_weighs_cancer_above_all_and_sets_no_limit_of_moves():
    policy = catalogue.get_policy()
    assert (policy.unscheduled.routine, policy.unscheduled.cancer) == (100, 3000)
    assert (policy.not_preferred_provider, policy.not_preferred_site, policy.not_preferred_half) == (8, 6, 2)
    assert (policy.group_not_run, policy.reserve_missing, policy.max_notified_moves) == (2000, 2000, None)


def test_unknown_ids_are_refused():
    with pytest.raises(UnknownId, match='unknown service "massage"'):
        catalogue.get_family("massage")
    with pytest.raises(UnknownId, match='unknown pathway "massage"'):
        catalogue.get_pathway("massage")


def test_a_sound_service_has_no_fault():
    assert faults_of(an_offer(locations=("wang",))) == []


@pytest.mark.parametrize(
    ("offer", "fault"),
    [
        (
            an_offer(locations=("wang",), team=(Seat(any_of=("astrology",)),)),
            Fault("services[0].team[0]", "no role has astrology"),
        ),
        (an_offer(locations=("wang",), room=RoomNeed(kind="gym", features=())), Fault("services[0].room", 'none at "wang"')),
        (an_offer(locations=("west",), room=None), Fault("services[0].equipment", 'no "rf-generator" at "west"')),
    ],
)
def test_a_service_that_could_never_take_place_is_a_fault(offer, fault):
    assert faults_of(offer) == [fault]


def test_a_repeated_service_is_a_fault():
    offer = an_offer(locations=("wang",))
    assert faults_of(offer, offer) == [Fault("services[1].id", f'"{offer.id}" is repeated')]


def test_data_without_a_source_or_of_a_wrong_type_is_refused_by_path():
    with pytest.raises(InvalidFile) as refused:
        parse_toml(OutsideDepartment, 'id = "neurology"\nname = 3\ncolour = "red"', "services.toml")
    assert {(fault.path, fault.message) for fault in refused.value.faults} == {
        ("name", "must be a valid string"),
        ("source", "missing"),
        ("colour", "unknown key"),
    }


def test_text_that_is_no_toml_is_refused():
    with pytest.raises(InvalidFile, match=r"services\.toml: 1 fault"):
        parse_toml(OutsideDepartment, "id = ", "services.toml")
