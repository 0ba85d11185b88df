"""A plan of visits at all the times of a year at which a zone may be misread, and the instants that it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from clients.reading import Instants
from support import factories

from calendars.uids import Uids
from scheduling.plan import Plan
from scheduling.scenario import Scenario

YEAR = 2027
STAMP = datetime(2026, 11, 20, 7, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

CLOSED = 3 * HOUR
"""How near a change of the clocks no clinic works: local times may not exist then, or occur twice."""


def clock_changes(zone: ZoneInfo) -> list[datetime]:
    """Return the hours of the year at whose end a zone's clocks have changed, in UTC."""
    hours = (datetime(YEAR, 1, 1, tzinfo=UTC) + number * HOUR for number in range(365 * 24))
    return [hour for hour in hours if hour.astimezone(zone).utcoffset() != (hour + HOUR).astimezone(zone).utcoffset()]


def _starts(zone: ZoneInfo) -> Iterator[str]:
    """Yield every tenth day of the year, and each hour from the day before to the day after a change of the clocks."""
    for number in range(37):
        yield f"{date(YEAR, 1, 1) + timedelta(days=10 * number)}T09:10"
    changes = clock_changes(zone)
    for change in changes:
        midnight = change.astimezone(zone).replace(hour=0, minute=0, tzinfo=None)
        for moment in (midnight + number * HOUR for number in range(-24, 48)):
            if all(abs(moment.replace(tzinfo=zone) - other) > CLOSED for other in changes):
                yield moment.isoformat(timespec="minutes")


@dataclass(frozen=True)
class Year:
    """A plan over a year, and the UIDs of its events."""

    scenario: Scenario
    plan: Plan
    uids: Uids

    def instants(self) -> Instants:
        """Return what the plan means, by the system's own zones."""
        zone = ZoneInfo(self.scenario.clinic.timezone)
        return {
            self.uids.of("visit", visit.visit): (
                visit.start.replace(tzinfo=zone).timestamp(),
                visit.end.replace(tzinfo=zone).timestamp(),
            )
            for visit in self.plan.visits
        }


def a_year(zone: str) -> Year:
    """Return a plan in a zone."""
    visits: Mapping[str, str] = {f"visit-{number}": start for number, start in enumerate(sorted(set(_starts(ZoneInfo(zone)))))}
    asked = [factories.visit(visit, earliest=f"{YEAR}-01-01") for visit in visits]
    scenario = factories.scenario(*asked, clinic=factories.clinic(timezone=zone))
    plan = factories.plan(scenario, *(factories.booking(visit, start) for visit, start in visits.items()))
    return Year(scenario, plan, Uids())
