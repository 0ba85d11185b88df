"""What the message about a changed appointment says: what was, and what is."""

from __future__ import annotations

from collections.abc import Iterator

from calendars.appointments import Appointment
from calendars.wording import flatten, format_clock, format_day


def has_moved(before: Appointment, after: Appointment) -> bool:
    """Return whether time or place of an appointment differ, and not only what comes with it."""
    return _get_core(before) != _get_core(after)


def list_changes(before: Appointment, after: Appointment) -> Iterator[str]:
    """Yield a line for each thing that differs: time, place, person, arrival, what to bring, companion, what to hold."""
    for heading, was, now in (
        ("Time", _format_time(before), _format_time(after)),
        ("Place", _format_place(before), _format_place(after)),
        ("With", ", ".join(map(flatten, before.clinicians)), ", ".join(map(flatten, after.clinicians))),
        ("Arrival", _format_arrival(before), _format_arrival(after)),
        ("Companion", before.companion, after.companion),
    ):
        if was != now and now:
            yield f"{heading}: {now}" + (f" (before: {was})" if was else "")
    yield from _compare("What to bring", before.bring, after.bring)
    yield from _compare("Medicines, food and drink beforehand", before.hold, after.hold)


def _get_core(appointment: Appointment) -> tuple[object, ...]:
    return appointment.starts_at, appointment.ends_at, appointment.building, appointment.within, appointment.address


def _format_time(appointment: Appointment) -> str:
    start, end = appointment.local_start, appointment.local_end
    return f"{format_day(start)}, {format_clock(start)} to {format_clock(end)}"


def _format_place(appointment: Appointment) -> str:
    parts = (flatten(appointment.building), appointment.within, flatten(appointment.address))
    return ", ".join(filter(None, parts))


def _format_arrival(appointment: Appointment) -> str:
    if appointment.arrive_text is not None:
        return appointment.arrive_text
    return f"{appointment.arrive_minutes} minutes before the start"


def _compare(heading: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{heading}, new: {sentence}" for sentence in after if sentence not in before)
    yield from (f"{heading}, no longer: {sentence}" for sentence in before if sentence not in after)
