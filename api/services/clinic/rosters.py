"""The roster: the clinic, and who works when, for weeks that are not asked for anything yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.services.clinic.programmes import open_workshops
from api.services.records import write_audit
from api.services.weeks.conflicts import AffectedBooking, find_conflicts, raise_tasks
from api.store.database import Database
from api.store.queries import people, periods
from scheduling.scenario import Scenario


@dataclass(frozen=True, slots=True)
class ImportedRoster:
    """A roster that was taken in, and what stood and cannot be any more by it."""

    scenario: Scenario
    concerns: tuple[AffectedBooking, ...]


def has_clinic(database: Database) -> bool:
    """Return whether anything was ever taken in: without a clinic there is no week to show."""
    with database.reading() as session:
        return periods.find_clinic(session) is not None


def import_roster(session: Session, by: Actor, text: str, now: datetime) -> ImportedRoster:
    """Take in the clinic and the shifts of a scenario; what the scenario asks for is left alone.

    The shifts of its dates become those that it has: whom it does not name, does not work then. What stands and becomes
    impossible is a task each. Workshops of the catalogue that the clinic can hold become programmes.

    Raises
    ------
    InvalidFile
        With every fault of it; also when a period that is not over makes no scenario with it.
    """
    scenario = Scenario.parse(text)
    ahead = [row.id for row in periods.list_periods_from(session, scenario.grid.wall(now).date())]
    before = find_conflicts(session, ahead, now)
    periods.keep_roster(session, scenario)
    people.remove_shifts_of_others(session, [provider.id for provider in scenario.providers], scenario.grid)
    open_workshops(session, scenario.clinic)
    for identifier in ahead:
        periods.load_scenario(session, identifier)
    concerns = raise_tasks(session, before, ahead, now)
    dates = {"start": scenario.horizon.start.isoformat(), "end": scenario.horizon.end.isoformat()}
    write_audit(session, by, "roster.take", "clinic", periods.CLINIC, now, providers=len(scenario.providers), **dates)
    return ImportedRoster(scenario, tuple(concerns))
