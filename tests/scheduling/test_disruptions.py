"""A week that is upset: how it is said, and what it leaves of a scenario."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support import everything, factories
from support.factories import at, booking, clinic, closure, plan, provider, scenario, shift, visit

from scheduling.check import check
from scheduling.disruptions import (
    Disruption,
    ExtraShift,
    PlaceClosure,
    ProviderAbsence,
    apply_disruptions,
    parse_absence,
    parse_closure,
    parse_extra_shift,
)
from scheduling.errors import InvalidFile, UnknownId
from scheduling.scenario import Scenario


def moment(text: str) -> datetime:
    return datetime.fromisoformat(at(text))


def close(place: str, start: str, end: str) -> PlaceClosure:
    return PlaceClosure(place=place, start=moment(start), end=moment(end))


def away(who: str, start: str, end: str) -> ProviderAbsence:
    return ProviderAbsence(provider=who, start=moment(start), end=moment(end))


def extra(who: str, start: str, end: str, *locations: str) -> ExtraShift:
    return ExtraShift(provider=who, start=moment(start), end=moment(end), locations=locations or ("wang",))


# --- as text ---------------------------------------------------------------------------------------------------------


def test_a_closed_room_is_written_with_stamps_or_dates() -> None:
    assert parse_closure("wang-exam-1:2026-12-01T13:00:2026-12-01T17:30") == close("wang-exam-1", "TU 13:00", "TU 17:30")
    assert parse_closure("wang:2026-12-01:2026-12-02") == close("wang", "TU 00:00", "TH 00:00")
    assert parse_absence("ana:2026-12-01:2026-12-01T09:00") == away("ana", "TU 00:00", "TU 09:00")


def test_an_id_may_hold_colons() -> None:
    assert parse_closure("room:2026-12-01:x:2026-12-02:2026-12-02").place == "room:2026-12-01:x"


def test_an_extra_shift_names_its_locations() -> None:
    text = "ana:2026-12-05T08:00:2026-12-05T12:00:wang,west"
    assert parse_extra_shift(text) == extra("ana", "SA 08:00", "SA 12:00", "wang", "west")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (parse_closure, "wang-exam-1", "is not ROOM:FROM:TO"),
        (parse_closure, "wang-exam-1:2026-12-01", "is not ROOM:FROM:TO"),
        (parse_closure, ":2026-12-01:2026-12-01", "is not ROOM:FROM:TO"),
        (parse_closure, "r:2026-12-01T13:00:17:00", "is not ROOM:FROM:TO"),
        (parse_closure, "r:2026-13-01:2026-12-02", "2026-13-01"),
        (parse_closure, "r:2026-12-01T25:00:2026-12-02", "2026-12-01T25:00"),
        (parse_closure, "r:9999-12-31:9999-12-31", "9999-12-31"),
        (parse_closure, "r:0001-01-01:2026-12-01", "out of range"),
        (parse_absence, "ana:2026-12-02:2026-12-01", "is not after the start"),
        (parse_absence, "ana:2026-12-01T13:00:2026-12-01T13:00", "is not after the start"),
        (parse_extra_shift, "ana:2026-12-01:2026-12-01:wang", "is not PROVIDER:FROM:TO:LOCATION"),
        (parse_extra_shift, "ana:2026-12-01T13:00:2026-12-01T17:00", "is not PROVIDER:FROM:TO:LOCATION"),
        (parse_extra_shift, "ana:2026-12-01T13:00:2026-12-01T17:00:wang,", "is not PROVIDER:FROM:TO:LOCATION"),
        (parse_extra_shift, "ana:2026-12-01T13:00:2026-12-01T12:00:wang", "is not after the start"),
    ],
)
def test_what_cannot_be_read_is_named(read: object, text: str, message: str) -> None:
    assert callable(read)
    with pytest.raises(InvalidFile) as caught:
        read(text)
    assert caught.value.source == text
    assert message in str(caught.value.faults[0])


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not after the start"):
        close("wang", "MO 09:00", "MO 09:00")


# --- closed rooms ----------------------------------------------------------------------------------------------------

ASKED = scenario(visit("v1"), visit("v2", "quin", "injection"))


def broken(asked: Scenario, *wishes: factories.Wish) -> set[str]:
    return {violation.rule for violation in check(asked, plan(asked, *wishes)).violations}


def test_a_closed_room_takes_nothing_and_costs_nothing() -> None:
    upset = apply_disruptions(ASKED, [close("wang-exam-1", "TU 10:00", "TU 12:00")])
    assert broken(upset) == set()
    assert check(upset, plan(upset)).cost == check(ASKED, plan(ASKED)).cost
    assert broken(upset, booking("v1", "TU 09:20")) == set()
    assert broken(upset, booking("v1", "TU 09:30")) == {"closure"}
    assert broken(upset, booking("v1", "TU 11:20")) == {"closure"}
    assert broken(upset, booking("v1", "TU 11:20", "wang-exam-2")) == set()
    assert broken(upset, booking("v1", "WE 10:00")) == set()


def test_cleaning_is_over_before_a_room_closes() -> None:
    upset = apply_disruptions(ASKED, [close("wang-proc-1", "TU 10:00", "TU 12:00")])
    assert broken(upset, booking("v2", "TU 09:20", "wang-proc-1")) == {"closure"}
    assert broken(upset, booking("v2", "TU 09:10", "wang-proc-1")) == set()


def test_a_room_closes_to_the_minute() -> None:
    upset = apply_disruptions(ASKED, [close("wang-exam-1", "TU 10:05", "TU 12:01")])
    assert broken(upset, booking("v1", "TU 09:20")) == set()
    assert broken(upset, booking("v1", "TU 09:30")) == {"closure"}
    assert broken(upset, booking("v1", "TU 12:00", team="dee")) >= {"closure"}
    assert "closure" not in broken(upset, booking("v1", "TU 12:10", team="dee"))


def test_a_room_that_closes_for_days_is_closed_on_each() -> None:
    upset = apply_disruptions(
        ASKED, [close("wang-exam-1", "TU 10:00", "TH 10:00"), close("wang-exam-1", "TU 09:00", "TU 11:00")]
    )
    assert [broken(upset, booking("v1", f"{day} 09:00")) for day in ("MO", "TU", "WE", "TH")] == [
        set(),
        {"closure"},
        {"closure"},
        {"closure"},
    ]
    assert broken(upset) == set()
    assert upset.visits == ASKED.visits


def test_a_closed_room_of_a_closed_location_is_still_a_plan() -> None:
    asked = scenario(
        visit("v1"), clinic=clinic(closures=[closure("TU 10:05", "TU 10:55", "wang"), closure("WE 00:00", "TH 00:00")])
    )
    upset = apply_disruptions(asked, [close("wang-exam-1", "TU 09:00", "FR 00:00")])
    assert broken(upset) == set()
    assert broken(upset, booking("v1", "TU 11:20")) == {"closure"}


def test_what_is_past_was_not_closed() -> None:
    asked = scenario(visit("v1", current=factories.current("TU 09:00")), now="TU 10:05", freeze_minutes=60)
    upset = apply_disruptions(
        asked, [close("wang-exam-1", "TU 00:00", "WE 00:00"), close("wang-exam-2", "MO 00:00", "TU 10:05")]
    )
    assert broken(upset, booking("v1", "TU 09:00")) == set()
    assert upset.clinic.closures == (closure("TU 10:05", "WE 00:00", "wang", room="wang-exam-1", reason="closed"),)


# --- closed locations, absences and extra shifts ---------------------------------------------------------------------


def test_a_closed_location_takes_nothing() -> None:
    upset = apply_disruptions(ASKED, [close("wang", "TU 10:00", "TU 12:00")])
    assert broken(upset, booking("v1", "TU 09:30")) == {"closure"}
    assert broken(upset, booking("v1", "TU 09:20")) == set()


def test_who_is_away_is_busy_from_now_on() -> None:
    asked = scenario(visit("v1", current=factories.current("TU 09:00")), visit("v2", "quin"), now="TU 10:00")
    upset = apply_disruptions(asked, [away("ana", "TU 08:00", "TU 12:00")])
    assert broken(upset, booking("v1", "TU 09:00")) == set()
    assert broken(upset, booking("v1", "TU 09:00"), booking("v2", "TU 10:00")) == {"busy"}
    assert apply_disruptions(asked, [away("ana", "TU 08:00", "TU 10:00")]) == asked


def test_an_extra_shift_can_be_worked() -> None:
    asked = scenario(visit("v1"), providers=[provider("ana", "pain", shifts=[shift("MO 08:00", "12:00")])])
    assert broken(asked, booking("v1", "TU 09:00")) >= {"shift"}
    upset = apply_disruptions(asked, [extra("ana", "TU 09:00", "TU 10:00")])
    assert broken(upset, booking("v1", "TU 09:00")) == set()


@pytest.mark.parametrize(
    ("extra_shift", "message"),
    [
        (extra("ana", "MO 11:00", "MO 12:10"), "overlaps the shift of Mon 30 Nov 08:00 to 12:00"),
        (extra("ana", "MO 20:00", "TU 00:01"), "crosses midnight"),
        (extra("ana", "MO 18:00", "MO 20:00", "wang", "wang"), "a location is repeated"),
    ],
)
def test_an_extra_shift_that_is_none_is_refused(extra_shift: ExtraShift, message: str) -> None:
    with pytest.raises(InvalidFile, match=message):
        apply_disruptions(ASKED, [extra_shift])


@pytest.mark.parametrize(
    ("disruption", "message"),
    [
        (close("nowhere", "MO 09:00", "MO 10:00"), 'unknown room or location "nowhere"'),
        (close("nowhere", "SU- 09:00", "SU- 10:00"), 'unknown room or location "nowhere"'),
        (away("nobody", "MO 09:00", "MO 10:00"), 'unknown provider "nobody"'),
        (away("nobody", "SU- 09:00", "SU- 10:00"), 'unknown provider "nobody"'),
        (extra("nobody", "MO 18:00", "MO 19:00"), 'unknown provider "nobody"'),
        (extra("ana", "MO 18:00", "MO 19:00", "nowhere"), 'unknown location "nowhere"'),
    ],
)
def test_what_the_scenario_does_not_have_is_named(disruption: Disruption, message: str) -> None:
    with pytest.raises(UnknownId, match=message):
        apply_disruptions(scenario(visit("v1"), now="MO 08:00"), [disruption])


# --- whatever happens ------------------------------------------------------------------------------------------------

FULL = Scenario.parse(factories.as_json(everything.full()))
TIMES = st.tuples(st.integers(-600, 8 * 1440), st.integers(1, 3 * 1440)).map(
    lambda pair: (moment("SU- 12:00") + timedelta(minutes=pair[0]), moment("SU- 12:00") + timedelta(minutes=sum(pair)))
)


def closes(places: list[str]) -> st.SearchStrategy[PlaceClosure]:
    return st.builds(lambda place, time: PlaceClosure(place=place, start=time[0], end=time[1]), st.sampled_from(places), TIMES)


HAPPENINGS: st.SearchStrategy[list[Disruption]] = st.lists(
    closes([*FULL.rooms, *FULL.locations])
    | st.builds(
        lambda who, time: ProviderAbsence(provider=who, start=time[0], end=time[1]),
        st.sampled_from(list(FULL.providers_by_id)),
        TIMES,
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(HAPPENINGS)
def test_a_disturbed_scenario_is_a_scenario_that_has_a_plan(happenings: list[Disruption]) -> None:
    asked = FULL.changed(visits=tuple(visit.changed(pinned=None) for visit in FULL.visits))
    upset = apply_disruptions(asked, happenings)
    assert Scenario.parse(upset.model_dump_json(exclude_unset=True)) == upset
    verdict = check(upset, plan(upset))
    assert not verdict.violations
    assert verdict.cost == check(asked, plan(asked)).cost


@settings(max_examples=100, deadline=None)
@given(
    closes(["wang-exam-1", "wang-exam-2"]),
    st.integers(0, 4),
    st.integers(48, 68),
    st.sampled_from(["wang-exam-1", "wang-exam-2"]),
)
def test_a_visit_meets_a_closed_room_exactly_when_their_times_meet(
    closure: PlaceClosure, day: int, slot: int, room: str
) -> None:
    start = moment("MO 00:00") + timedelta(days=day, minutes=10 * slot)
    wish = booking("v1", start.strftime("%Y-%m-%dT%H:%M"), room)
    meets = room == closure.place and start < closure.end and closure.start < start + timedelta(minutes=40)
    assert ("closure" in broken(apply_disruptions(ASKED, [closure]), wish)) == meets
