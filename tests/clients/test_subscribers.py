"""Programs that keep a copy of a feed have what the clinic has, and fetch it again only once it has changed."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from clients.clinic import DAY, Clinic, instant
from clients.installed import Installed
from clients.subscribers import evolution, vdirsyncer
from clients.waiting import until


def in_utc(clock: str) -> str:
    """Return a clock time of the day as khal shows it."""
    return f"{datetime.fromtimestamp(instant(clock), UTC):%Y-%m-%dT%H:%M}"


def test_evolution_shows_a_feed_and_its_second_synchronisation_is_answered_with_304(
    clinic: Clinic, patient: str, tmp_path: Path
) -> None:
    clinic.book(f"{patient}-first", "11:00")
    clinic.book(f"{patient}-second", "14:00")
    with evolution(tmp_path, clinic.subscribe()) as calendar:

        def shows(*clocks: str) -> bool:
            return sorted(start for start, _ in calendar.events().values()) == [instant(clock) for clock in clocks]

        until("the two visits", lambda: shows("11:00", "14:00"))
        calendar.refresh()
        until("a second poll", lambda: clinic.polls()[1:])
        first, *later = clinic.polls()
        assert (first, set(later)) == (HTTPStatus.OK, {HTTPStatus.NOT_MODIFIED})

        clinic.move(f"{patient}-first", "09:00")
        calendar.refresh()
        until("the first visit at its new time", lambda: shows("09:00", "14:00"))

        clinic.cancel(f"{patient}-first")
        calendar.refresh()
        until("the second visit alone", lambda: shows("14:00"))


def test_no_ghost_is_left_in_evolution_once_all_that_a_feed_has_shown_is_cancelled(
    clinic: Clinic, patient: str, tmp_path: Path
) -> None:
    clinic.book(f"{patient}-first", "11:00")
    with evolution(tmp_path, clinic.subscribe()) as calendar:

        def on_the_day() -> list[float]:
            return sorted(start for start, _ in calendar.events().values() if start >= instant("00:00"))

        until("the visit", lambda: on_the_day() == [instant("11:00")])
        clinic.cancel(f"{patient}-first")
        calendar.refresh()
        until("a day without visits", lambda: on_the_day() == [])
        clinic.book(f"{patient}-second", "14:00")
        calendar.refresh()
        until("another visit", lambda: [start for start, _ in calendar.events().values()] == [instant("14:00")])


def test_vdirsyncer_keeps_a_feed_that_khal_shows(clinic: Clinic, patient: str, tmp_path: Path, installed: Installed) -> None:
    clinic.book(f"{patient}-first", "11:00")
    clinic.book(f"{patient}-second", "14:00")
    calendar = vdirsyncer(installed, tmp_path, clinic.subscribe())
    afternoon = f"{in_utc('14:00')} {in_utc('14:40')} followup"
    calendar.synchronise()
    assert calendar.agenda(DAY.isoformat()) == [f"{in_utc('11:00')} {in_utc('11:40')} followup", afternoon]

    clinic.move(f"{patient}-first", "09:00")
    calendar.synchronise()
    assert calendar.agenda(DAY.isoformat()) == [f"{in_utc('09:00')} {in_utc('09:40')} followup", afternoon]

    clinic.cancel(f"{patient}-first")
    calendar.synchronise()
    assert calendar.agenda(DAY.isoformat()) == [afternoon]

    clinic.cancel(f"{patient}-second")
    calendar.synchronise()
    assert calendar.agenda(DAY.isoformat()) == []
