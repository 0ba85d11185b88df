"""Reading scenarios: nothing but ``InvalidFile`` for what is none, and back again unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.everything import faults_of, full
from support.factories import plan, scenario, scenario_fields, visit
from support.jsonpaths import mutations

from scheduling.check import check
from scheduling.errors import ClinicweaveError, Fault, InvalidFile, UnknownId
from scheduling.files import MAX_BYTES
from scheduling.scenario import Scenario

SOUND = json.dumps(full())

BROKEN: dict[str, bytes] = {
    "an empty file": b"",
    "blanks": b" \n\n",
    "no JSON": b"BEGIN:VCALENDAR",
    "truncated in a string": SOUND[: SOUND.index("boston") + 3].encode(),
    "truncated in an object": SOUND[:-2].encode(),
    "something after the end": SOUND.encode() + b"{}",
    "another encoding": SOUND.encode("utf-16"),
    "not UTF-8": SOUND.encode().replace(b"Boston", b"B\xf6ston", 1),
    "half of a pair": SOUND.replace('"Boston"', '"\\ud83d"', 1).encode(),
    "nested too deeply": b"[" * 100_000,
    "nested too deeply in a place": SOUND.replace('"v1"', "[" * 5000 + "]" * 5000, 1).encode(),
    "nested a little too deeply in a place": SOUND.replace('"v1"', "[" * 900 + "]" * 900, 1).encode(),
    "a number too long": SOUND.replace('"freeze_minutes": 0', f'"freeze_minutes": {"9" * 6000}', 1).encode(),
    "no number": SOUND.replace('"freeze_minutes": 0', '"freeze_minutes": NaN', 1).encode(),
    "null": b"null",
    "a list": b"[1, 2]",
    "a string": b'"clinicweave-scenario/1"',
    "an empty object": b"{}",
    "a plan": b'{"format": "clinicweave-plan/1", "visits": []}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_invalid_file_that_names_itself(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    path.write_bytes(content)
    with pytest.raises(InvalidFile) as caught:
        Scenario.read(path)
    assert caught.value.source == str(path)
    assert caught.value.faults
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_invalid_file(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    for path, fault in (
        (tmp_path / "absent.json", "no such file or directory"),
        (tmp_path, "is a directory"),
        (large / "below.json", "not a directory"),
        (large, "9.0 MB is over the limit of 9 MB; plan a shorter horizon"),
    ):
        with pytest.raises(InvalidFile) as caught:
            Scenario.read(path)
        assert caught.value.faults == (Fault("", fault),)


def test_a_key_that_is_left_out_of_a_link_has_its_default() -> None:
    (first, second) = Scenario.parse(json.dumps(full())).links
    assert (first.min_gap_minutes, first.max_gap_minutes, first.same_location, first.same_provider) == (0, None, False, False)
    assert (second.min_gap_minutes, second.max_gap_minutes, second.same_location) == (10, 90, True)


def test_a_scenario_is_written_and_read_back_unchanged(tmp_path: Path) -> None:
    asked = Scenario.parse(json.dumps(full()))
    asked.write(tmp_path / "week.json")
    assert Scenario.read(tmp_path / "week.json") == asked
    assert json.loads((tmp_path / "week.json").read_text()) == full()


def test_a_changed_scenario_is_written_with_its_changes(tmp_path: Path) -> None:
    asked = scenario(visit("v1"), visit("v2", "quin"))
    assert set(asked.visits_by_id) == {"v1", "v2"}
    fewer = asked.changed(visits=asked.visits[:1])
    assert set(fewer.visits_by_id) == {"v1"}
    fewer.write(tmp_path / "week.json")
    assert Scenario.read(tmp_path / "week.json") == fewer


def test_a_scenario_knows_its_places() -> None:
    asked = scenario()
    assert asked.travel_minutes("wang", "west") == asked.travel_minutes("west", "wang") == 45
    assert asked.travel_minutes("yawkey", "west") == 0
    assert asked.travel_minutes("west", "west") == 0
    assert [asked.site(location) for location in asked.locations] == ["boston", "boston", "waltham"]
    assert [asked.bays(location) for location in asked.locations] == [2, 0, 1]
    assert [asked.equipment_units("generator", location) for location in asked.locations] == [1, 0, 2]
    assert asked.equipment_units("programmer", "wang") == 0


def test_a_visit_that_is_not_there_is_an_unknown_id() -> None:
    asked = scenario(visit("v1"))
    assert asked.visit("v1").id == "v1"
    with pytest.raises(UnknownId, match='unknown visit "v2"') as caught:
        asked.visit("v2")
    assert isinstance(caught.value, ClinicweaveError)


def judged(asked: Scenario) -> None:
    """Assert that a scenario that was accepted can be used: its empty plan is judged, and it is read back unchanged."""
    check(asked, plan(asked))
    again = Scenario.parse(asked.model_dump_json(exclude_unset=True))
    assert again == asked


@pytest.mark.parametrize("now", ["1900-01-01T00:00", "8999-12-31T23:59"])
def test_the_first_and_the_last_moment_that_are_accepted_can_be_judged(now: str) -> None:
    fields = full()
    fields.update(now=now, freeze_minutes=100_000)
    judged(Scenario.parse(json.dumps(fields)))


def test_a_text_of_which_an_error_cannot_be_encoded_has_it_escaped() -> None:
    half = SOUND.replace('"America/New_York"', '"\\ud800"')
    with pytest.raises(InvalidFile) as caught:
        Scenario.parse(half, "half \udcff.json")
    assert str(caught.value).encode().startswith(b"half \\udcff.json: ")


def test_a_zone_that_cannot_be_printed_is_named_by_its_escapes() -> None:
    fields = full()
    fields["clinic"]["timezone"] = "Mars\n\x1b[2J\u2028Zoë"
    assert faults_of(json.dumps(fields)) == ['clinic.timezone: unknown zone "Mars\\n\\x1b[2J\\u2028Zoë"']


def test_twelve_thousand_faults_are_kept_the_first_fifty_are_printed_and_it_does_not_take_long() -> None:
    fields = scenario_fields(visits=[{"id": f"v{number}", **dict.fromkeys("abcdefghi", 1)} for number in range(1100)])
    began = process_time()
    with pytest.raises(InvalidFile) as caught:
        Scenario.parse(json.dumps(fields))
    assert process_time() - began < 2
    assert len(caught.value.faults) == 12_100
    assert caught.value.faults[-1] == Fault("visits[1099].service", "missing")
    printed = str(caught.value).splitlines()
    assert len(printed) == 52
    assert printed[0] == "scenario: 12100 fault(s)"
    assert printed[-2:] == ["  visits[4].f: unknown key", "  ... and 12050 more"]


@pytest.mark.parametrize("faults", [1, 50, 51])
def test_no_more_than_fifty_faults_are_printed(faults: int) -> None:
    error = InvalidFile("week.json", [Fault("id", str(number)) for number in range(faults)])
    assert len(str(error).splitlines()) == 1 + faults
    assert str(error).endswith({1: "  id: 0", 50: "  id: 49", 51: "  ... and 1 more"}[faults])


@pytest.mark.parametrize(
    ("element", "fault"),
    [
        ("{}", "2,999,997 objects and 2,999,995 commas are over the limits of 60,000 and 300,000; plan a shorter horizon"),
        ("1", "1 objects and 4,499,993 commas are over the limits of 60,000 and 300,000; plan a shorter horizon"),
    ],
)
def test_a_file_of_the_largest_size_that_holds_junk_is_refused_at_once(element: str, fault: str) -> None:
    junk = '{"visits":[' + ",".join([element] * ((MAX_BYTES - 12) // (len(element) + 1))) + "]}"
    began = process_time()
    with pytest.raises(InvalidFile) as caught:
        Scenario.parse(junk)
    assert process_time() - began < 2
    assert caught.value.faults == (Fault("", fault),)


@settings(deadline=None, max_examples=150)
@given(mutations(full()))
def test_any_change_of_a_scenario_gives_a_scenario_or_an_invalid_file(fields: Any) -> None:
    try:
        asked = Scenario.parse(json.dumps(fields))
    except InvalidFile as error:
        assert error.faults
        assert len(set(error.faults)) == len(error.faults)
        assert str(error).encode()
    else:
        judged(asked)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(SOUND)), st.integers(0, 40), st.binary(max_size=12))
def test_any_splice_of_a_file_gives_a_scenario_or_an_invalid_file(begin: int, length: int, inserted: bytes) -> None:
    text = SOUND.encode()
    try:
        asked = Scenario.parse(text[:begin] + inserted + text[begin + length :])
    except InvalidFile as error:
        assert error.faults
    else:
        judged(asked)
