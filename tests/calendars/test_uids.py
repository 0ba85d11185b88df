"""UIDs and their sidecar file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calendars.uids import Uids, get_sidecar_path
from scheduling.errors import InvalidFile
from scheduling.plan import Plan

GOOD = {"kind": "visit", "id": "v1", "uid": "11111111-2222@clinicweave", "sequence": 2, "said": None}


def file_of(*entries: dict[str, Any], **others: Any) -> str:
    return json.dumps({"format": "clinicweave-uids/1", "uids": entries} | others)


def fault_paths(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        Uids.parse(text)
    return [fault.path for fault in caught.value.faults]


def test_a_uid_is_made_once() -> None:
    uids = Uids()
    assert uids.of("visit", "v1") == uids.of("visit", "v1")


def test_kinds_and_ids_have_uids_of_their_own() -> None:
    uids = Uids()
    made = {uids.of("visit", "a"), uids.of("visit", "b"), uids.of("group", "a"), uids.of("hold", "a")}
    assert len(made) == 4


def test_a_uid_is_random_and_says_nothing_of_the_id() -> None:
    first, second = Uids().of("visit", "ann-lee"), Uids().of("visit", "ann-lee")
    assert first != second
    assert "ann" not in first
    assert first.endswith("@clinicweave")


def test_uids_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.uids.json"
    uids = Uids()
    made = [uids.of("visit", "v/1 ü"), uids.of("group", "g1")]
    uids.write(path)
    read = Uids.read(path)
    assert [read.of("visit", "v/1 ü"), read.of("group", "g1")] == made


def test_the_same_uids_are_the_same_file(tmp_path: Path) -> None:
    uids = Uids()
    for identifier in ("b", "a", "c"):
        uids.of("visit", identifier)
    uids.write(tmp_path / "first.json")
    Uids.read(tmp_path / "first.json").write(tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_a_missing_file_holds_no_uids(tmp_path: Path) -> None:
    uids = Uids.read(tmp_path / "none.json")
    uids.write(tmp_path / "written.json")
    assert json.loads((tmp_path / "written.json").read_text())["uids"] == []


def test_a_directory_is_no_file_of_uids(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        Uids.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("[]", ""),
        (file_of(GOOD, format="clinicweave-uids/2"), "format"),
        (file_of(GOOD, more=1), "more"),
        (file_of(GOOD, GOOD | {"id": "v2"}), "uids[1].uid"),
        (file_of(GOOD, GOOD | {"uid": "99999999-2222@clinicweave"}), "uids[1].id"),
        (file_of(GOOD | {"kind": "patient"}), "uids[0].kind"),
        (file_of(GOOD | {"uid": "a@b\r\nATTENDEE:x"}), "uids[0].uid"),
        (file_of(GOOD | {"sequence": -1}), "uids[0].sequence"),
        (
            file_of(GOOD | {"said": {"start": "2026-12-01", "end": "2026-12-01T10:00", "location": "wang"}}),
            "uids[0].said.start",
        ),
    ],
)
def test_a_bad_file_is_refused_by_the_path_of_its_fault(text: str, path: str) -> None:
    assert fault_paths(text) == [path]


def test_control_the_good_file_is_read() -> None:
    assert Uids.parse(file_of(GOOD)).of("visit", "v1") == GOOD["uid"]


def test_the_sidecar_stands_beside_the_plan() -> None:
    assert get_sidecar_path("out/plan.json") == Path("out/plan.uids.json")
    assert get_sidecar_path("out/plan") == Path("out/plan.uids.json")


def test_the_sequence_rises_with_every_change_of_time_or_place(plan: Plan) -> None:
    uids = Uids()
    booking = plan.visits[0]
    moved = booking.changed(location="yawkey")
    said = [uids.sequence("visit", "visit-1", each) for each in (booking, booking, moved, moved, booking)]
    assert said == [0, 0, 1, 1, 2]


def test_the_sequence_stays_when_only_room_or_people_change(plan: Plan) -> None:
    uids = Uids()
    booking = plan.visits[0]
    assert uids.sequence("visit", "visit-1", booking) == 0
    assert uids.sequence("visit", "visit-1", booking.changed(room="wang-group-1", team=("physician-1",))) == 0


def test_the_sequence_survives_the_file(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "plan.uids.json"
    uids = Uids()
    uids.sequence("visit", "visit-1", plan.visits[0])
    uids.write(path)
    later = Uids.read(path)
    assert later.sequence("visit", "visit-1", plan.visits[0]) == 0
    assert later.sequence("visit", "visit-1", plan.visits[0].changed(location="yawkey")) == 1


def test_a_later_plan_takes_over_what_was_said_of_an_earlier_one(plan: Plan) -> None:
    booking = plan.visits[0]
    earlier, later = Uids(), Uids()
    said = [earlier.sequence("visit", "visit-1", one) for one in (booking, booking.changed(location="yawkey"))]
    own = later.of("visit", "new")
    later.of("visit", "visit-1")
    later.take_over(earlier)
    assert said == [0, 1]
    assert later.of("visit", "visit-1") == earlier.of("visit", "visit-1")
    assert later.sequence("visit", "visit-1", booking.changed(location="yawkey")) == 1
    assert later.sequence("visit", "visit-1", booking) == 2
    later.take_over(earlier)
    assert (later.sequence("visit", "visit-1", booking), later.of("visit", "new")) == (2, own)
