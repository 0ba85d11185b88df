"""Taking in a scenario: the clinic, its people, and what a period asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict, ErrorDetail
from api.services.patients.finding import expect_no_case_twins, expect_unmerged
from api.services.records import write_audit
from api.services.weeks.conflicts import find_conflicts, raise_tasks
from api.store.queries import bookings, periods, plans, requests
from api.store.queries.standing import list_reasons
from api.store.tables import PeriodRow
from scheduling.errors import Fault, InvalidFile
from scheduling.names import compose_people
from scheduling.plan import Plan, Reason
from scheduling.publishing import rebase
from scheduling.scenario import Scenario

MAX_ID_CHARACTERS = 100
"""Longest id that is kept: it has to fit into addresses, and into the indexes of every database."""


def list_periods(session: Session, after: str, count: int) -> list[PeriodRow]:
    """Return scenarios that were taken in by id, those after an id."""
    return periods.list_periods(session, after, count)


def get_version(session: Session, identifier: str) -> int:
    """Return the version of a scenario. Raises ``UnknownId``."""
    return periods.get_period(session, identifier).version


def get_scenario(session: Session, identifier: str) -> Scenario:
    """Return a scenario as it is asked for now. Raises ``UnknownId``."""
    return periods.load_scenario(session, identifier)


def get_standing_plan(session: Session, identifier: str, tag: str | None = None) -> tuple[Scenario, Plan]:
    """Return a scenario as it is asked for now, and what people live by; with a tag, only the visits that carry it.

    What has no place has the reasons of the plan that was published last; of what has lost its place since, none is known.

    Raises
    ------
    UnknownId
        When there is no such scenario.
    """
    scenario = periods.load_scenario(session, identifier)
    plan = _with_reasons(plans.load_standing_plan(session, scenario), list_reasons(session, identifier))
    if tag is None:
        return scenario, plan
    tagged = requests.list_tagged(session, identifier, tag)
    only = scenario.restrict_to(scenario.visits_by_id.keys() & tagged).changed(groups=(), reserves=())
    visits = tuple(booking for booking in plan.visits if booking.visit in tagged)
    left_out = tuple(visit for visit in plan.unscheduled if visit.visit in tagged)
    return only, rebase(plan.changed(visits=visits, groups=(), holds=(), unscheduled=left_out), only)


def _with_reasons(plan: Plan, known: Mapping[str, tuple[Reason, ...]]) -> Plan:
    """Return a plan in which every visit that is left out has a reason."""
    unknown = (Reason(rule="not-examined", detail="no plan that was published says why; ask for this visit alone"),)
    told = (left.changed(reasons=left.reasons or known.get(left.visit) or unknown) for left in plan.unscheduled)
    return plan.changed(unscheduled=tuple(told))


def import_scenario(session: Session, by: Actor, text: str, now: datetime, another_patient: bool = False) -> PeriodRow:
    """Take in a scenario as a new period.

    Its ``now`` is not kept: whoever asks for a plan says from when.

    Parameters
    ----------
    another_patient
        Whether patients whose ids differ from known ones by case alone are really others.

    Raises
    ------
    InvalidFile
        With every fault of it; also when what is there already and what it brings make no scenario together.
    AlreadyThere
        When there is a period of its id.
    DoubleBooked
        When what stands in it overlaps, or overlaps with what stands already.
    Conflict
        When visits of it have a place in another period, which would lose them.
    """
    scenario = Scenario.parse(_compose(text))
    expect_ids("scenario", _ids(scenario))
    ahead = [row.id for row in periods.list_periods_from(session, scenario.grid.wall(now).date())]
    before = find_conflicts(session, ahead, now)
    patients = [(f"patients[{index}].id", patient.id) for index, patient in enumerate(scenario.patients)]
    expect_unmerged(session, "scenario", patients)
    if not another_patient:
        expect_no_case_twins(session, "scenario", patients)
    _expect_placed_nowhere(session, scenario)
    row = periods.keep_scenario(session, scenario, now)
    periods.load_scenario(session, row.id)
    raise_tasks(session, before, ahead, now)
    write_audit(session, by, "scenario.import", "scenario", row.id, now, visits=len(scenario.visits))
    return row


def _expect_placed_nowhere(session: Session, scenario: Scenario) -> None:
    """Refuse a scenario with visits that stand in a period already, as the same week under another id. Raises ``Conflict``."""
    placed = bookings.get_periods_of_placed(session, scenario.visits_by_id.keys())
    elsewhere = {period for period in placed.values() if period != scenario.id}
    if elsewhere:
        where = ", ".join(sorted(elsewhere))
        of_each = [ErrorDetail(f'has a place in scenario "{period}"', path=visit) for visit, period in sorted(placed.items())]
        raise Conflict(f"visits of it have a place already, in {where}: cancel those first, or leave them out", of_each)


def _compose(text: str) -> str:
    """Return a scenario's text with its patients' names and ids composed; a text that is no object stays as it is."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return json.dumps(compose_people(document)) if isinstance(document, dict) else text


def expect_ids(source: str, ids: Iterator[tuple[str, str]]) -> None:
    """Refuse ids, each with its path, that are too long to be kept. Raises ``InvalidFile``."""
    message = f"has more than {MAX_ID_CHARACTERS} characters"
    if faults := [Fault(path, message) for path, identifier in ids if len(identifier) > MAX_ID_CHARACTERS]:
        raise InvalidFile(source, faults)


def _ids(scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield "id", scenario.id
    clinic = scenario.clinic
    for section, ids in (
        ("clinic.locations", [location.id for location in clinic.locations]),
        ("clinic.rooms", [room.id for room in clinic.rooms]),
        ("clinic.services", [service.id for service in clinic.services]),
        ("providers", [provider.id for provider in scenario.providers]),
        ("patients", [patient.id for patient in scenario.patients]),
        ("visits", [visit.id for visit in scenario.visits]),
        ("groups", [group.id for group in scenario.groups]),
        ("reserves", [reserve.id for reserve in scenario.reserves]),
    ):
        yield from ((f"{section}[{index}].id", identifier) for index, identifier in enumerate(ids))
