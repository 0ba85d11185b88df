"""Five readers of calendars agree with the plan on every instant, around each change of the clocks and across a year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from clients.installed import Installed
from clients.reading import READERS, Instants, read
from clients.years import STAMP, a_year
from icalendar import Calendar
from support import factories

from calendars.appointments import make_appointment
from calendars.exports import export_all
from calendars.feeds import make_tombstone
from calendars.invites import InviteMessage, Method, make_scheduling_object
from calendars.mailbox import Mailbox

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Etc/UTC",
    "Europe/Dublin",
)
NO_YEARLY_RULES = "Africa/Casablanca"
"""Its clocks follow the moon."""

CLINIC = Mailbox("visits@example.org", "Center for Pain Medicine")
PATIENT = Mailbox("pat@example.org", 'Pat O\'Neil; "P", Jr')

BY_THE_FILE = ("ical.js", "icalendar", "libical")
"""Readers that know a zone by its VTIMEZONE, when its name tells them nothing."""

FAULTS = {
    "an event with two stamps": (b"\r\nDTSTAMP:", b"\r\nDTSTAMP:20260101T000000Z\r\nDTSTAMP:"),
    "a request without organizer": (b"\r\nVERSION:", b"\r\nMETHOD:REQUEST\r\nVERSION:"),
    "a zone without name": (b"\r\nTZID:", b"\r\nX-TZID:"),
    "a rule that is none": (b"FREQ=YEARLY", b"FREQ=YEARLYX"),
}


@dataclass(frozen=True)
class Written:
    """The calendars of a year as files, of which ``files[0]`` is a provider's, and what they mean."""

    zone: str
    files: list[Path]
    instants: Instants

    def changed(self, change: Callable[[bytes], bytes]) -> Path:
        """Write the provider's calendar once more, changed."""
        content = self.files[0].read_bytes()
        file = self.files[0].with_name("changed.ics")
        file.write_bytes(change(content))
        assert file.read_bytes() != content
        return file


@pytest.fixture
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    """Return the calendars of a year in a zone that have events."""
    year = a_year(request.param)
    files = []
    for name, content in export_all(year.scenario, year.plan, year.uids, STAMP):
        if b"BEGIN:VEVENT" in content:
            files.append(tmp_path / name.replace("/", "-"))
            files[-1].write_bytes(content)
    assert len(files) == 4, "of a provider, a room, a patient and a location"
    return Written(request.param, files, year.instants())


def with_dates_listed(content: bytes) -> bytes:
    """Put the VTIMEZONE that icalendar makes, whose changes are lists of RDATE, in the place of ours."""
    calendar = Calendar.from_ical(content)
    calendar.subcomponents = [part for part in calendar.subcomponents if part.name != "VTIMEZONE"]
    calendar.add_missing_timezones()
    assert b"RDATE" in calendar.to_ical()
    return calendar.to_ical()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("written", ZONES, indirect=True)
def test_a_reader_sees_a_year_at_the_plans_instants_and_finds_no_fault(
    reader: str, written: Written, installed: Installed
) -> None:
    for reading in read(installed, reader, written.files):
        assert not reading.faults
        assert reading.instants == written.instants


@pytest.mark.parametrize("reader", BY_THE_FILE)
@pytest.mark.parametrize("written", ZONES, indirect=True)
def test_the_zones_own_rules_are_right_where_its_name_is_unknown(reader: str, written: Written, installed: Installed) -> None:
    file = written.changed(lambda content: content.replace(written.zone.encode(), b"Clinic"))
    (reading,) = read(installed, reader, [file])
    assert not reading.faults
    assert reading.instants == written.instants


@pytest.mark.parametrize(
    ("reader", "written"),
    [("ical.js", zone) for zone in ZONES if not zone.startswith(("Asia", "Etc"))] + [("libical", NO_YEARLY_RULES)],
    indirect=["written"],
)
def test_a_wrong_zone_is_noticed(reader: str, written: Written, installed: Installed) -> None:
    (reading,) = read(installed, reader, [written.changed(with_dates_listed)])
    assert reading.instants.keys() == written.instants.keys()
    assert reading.instants != written.instants


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("written", ["Europe/Dublin"], indirect=True)
def test_libical_notices(fault: str, written: Written, installed: Installed) -> None:
    (reading,) = read(installed, "libical", [written.changed(lambda content: content.replace(*FAULTS[fault]))])
    assert reading.faults


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("zone", ZONES)
def test_a_reader_sees_each_invite_and_cancellation_at_its_instant_and_finds_no_fault(
    zone: str, method: Method, reader: str, tmp_path: Path, installed: Installed
) -> None:
    year = a_year(zone)
    instants = year.instants()
    for uid, (start, end) in instants.items():
        times = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
        told = make_appointment(year.scenario.clinic, "followup", "wang", *times)
        message = InviteMessage(method, uid, PATIENT, 1, STAMP, told, previous=told)
        (tmp_path / f"{uid}.ics").write_bytes(make_scheduling_object(message, CLINIC))
    files = sorted(tmp_path.iterdir())
    readings = read(installed, reader, files)
    assert not [fault for reading in readings for fault in reading.faults]
    assert [(uid, times) for reading in readings for uid, times in reading.instants.items()] == sorted(instants.items())


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_finds_no_fault_with_what_a_revoked_feed_says(reader: str, tmp_path: Path, installed: Installed) -> None:
    file = tmp_path / "ended.ics"
    file.write_bytes(make_tombstone(factories.clinic(), "feed-1", STAMP))
    (reading,) = read(installed, reader, [file])
    assert not reading.faults
    assert [start for start, _ in reading.instants.values()] == [STAMP.timestamp()]
