"""Who comes when: the appointments of a plan as rows, with names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from scheduling.plan import Item, Plan
from scheduling.scenario import Scenario


@dataclass(frozen=True, slots=True)
class AgendaLine:
    """One appointment: when, who, what for, where and with whom. Moments are wall-clock time."""

    start: datetime
    end: datetime
    id: str
    patients: tuple[str, ...]
    what: str
    location: str
    room: str
    team: tuple[str, ...]

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a row, in the order of ``HEADINGS``."""
        return (
            f"{self.start:%Y-%m-%d}",
            f"{self.start:%H:%M}",
            f"{self.end:%H:%M}",
            *("; ".join(self.patients), self.what, self.location, self.room, "; ".join(self.team), self.id),
        )


HEADINGS = ("date", "start", "end", "patient", "what", "where", "room", "with", "id")


def list_agenda(
    scenario: Scenario,
    plan: Plan,
    day: date | None = None,
    provider: str | None = None,
    room: str | None = None,
    patient: str | None = None,
) -> list[AgendaLine]:
    """Return the appointments of a plan by start: those of a day, provider, room or patient; None: of all."""
    chosen = (
        item
        for item in plan.items(scenario)
        if day in (None, item.date)
        and (provider is None or provider in (*item.booking.team, *item.booking.supervisors))
        and room in (None, item.booking.room)
        and (patient is None or patient in item.patients)
    )
    return sorted(_describe(scenario, chosen), key=lambda line: (line.start, line.room, line.id))


def _describe(scenario: Scenario, items: Iterator[Item]) -> Iterator[AgendaLine]:
    for item in items:
        booking, service = item.booking, scenario.services[item.service.id]
        group = scenario.groups_by_id.get(item.id) if item.kind == "group" else None
        yield AgendaLine(
            start=booking.start,
            end=booking.end,
            id=item.id,
            patients=tuple(scenario.patients_by_id[patient].name for patient in item.patients),
            what=group.name if group is not None else f"held: {service.name}" if item.kind == "hold" else service.name,
            location=scenario.locations[booking.location].name,
            room=booking.room or "",
            team=tuple(scenario.providers_by_id[name].name for name in (*booking.team, *booking.supervisors)),
        )
