"""What would be if the world changed: tried as a plan beside the week, and then made real or thrown away.

Until it is made real nothing of it stands anywhere: no absence, no closure, no booking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.bookings.decisions import PlanDiff
from api.services.bookings.publishing import preview_publication, publish
from api.services.clinic.disruptions import add_disruption, find_faults, get_kind
from api.services.proposals.judgements import PatientToCall, list_calls
from api.services.records import write_audit
from api.services.weeks.planning import PlanInput, PlanRequest, RequestedPlan, get_plan, request_plan
from api.store.queries import jobs, what_ifs
from api.store.queries.plans import Published
from api.store.tables import WhatIfRow
from api.web.words.sentences import DescribedReason, describe_reasons
from scheduling.disruptions import Disruption, ExtraShift, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.errors import Fault, InvalidFile
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from api.runtime.job_queue import JobQueue


@dataclass(frozen=True, slots=True)
class TriedDisruption:
    """A change of the world that is tried, and why, for the desk alone."""

    disruption: Disruption
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A visit that would have no place any more, and why."""

    visit: str
    patient: str
    name: str
    reasons: list[DescribedReason]


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """What would be.

    Attributes
    ----------
    diff : PlanDiff
        What stands, and what would stand if the plan were published now.
    bound : int or None
        The least that any plan of the changed world costs, where that is proven.
    """

    diff: PlanDiff
    bound: int | None
    call: list[PatientToCall]
    left_out: list[LeftOut]


@dataclass(frozen=True)
class WhatIf:
    """Changes of the world that are tried, as far as it is found out what would be."""

    row: WhatIfRow
    requested: RequestedPlan
    result: WhatIfResult | None


def prepare_what_if(session: Session, of: PlanInput, tried: Sequence[TriedDisruption]) -> PlanInput:
    """Return what is to be planned if the world changed.

    Raises
    ------
    InvalidFile
        When a change names whom or what there is not, or is an extra shift that overlaps another; names each.
    """
    faults = [
        Fault(f"body.disruptions[{index}].{fault.path}", fault.message)
        for index, change in enumerate(tried)
        for fault in find_faults(session, change.disruption)
    ]
    if faults:
        raise InvalidFile("body", faults)
    return PlanInput(apply_disruptions(of.scenario, [change.disruption for change in tried]), of.standing)


def request_what_if(
    session: Session,
    queue: JobQueue,
    by: Actor,
    wanted: PlanRequest,
    of: PlanInput,
    tried: Sequence[TriedDisruption],
    now: datetime,
) -> WhatIf:
    """Ask what would be. Raises ``TooMany`` when too much waits already."""
    job = request_plan(session, queue, by, wanted, of, now, "desk")
    row = what_ifs.add_what_if(session, job, [_dump(of.scenario, change) for change in tried])
    return WhatIf(row, get_plan(session, job.id), None)


def get_what_if(session: Session, identifier: str) -> WhatIf:
    """Return what would be, as far as it is found out. Raises ``UnknownId``."""
    row, requested = what_ifs.get_what_if(session, identifier), get_plan(session, identifier)
    return WhatIf(row, requested, None if requested.plan is None else _describe(session, row, requested))


def discard_what_if(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """Throw away what was tried; if it is searched still, the search ends.

    Raises
    ------
    UnknownId, Conflict
        When there is none, or it was made real.
    """
    row = what_ifs.get_what_if(session, identifier)
    if row.realised_at is not None:
        raise Conflict(f'what-if "{identifier}" was made real')
    jobs.cancel_job(session, identifier, now)
    row.discarded_at = now
    write_audit(session, by, "what-if.discard", "what-if", identifier, now)


def realise_what_if(session: Session, by: Actor, identifier: str, now: datetime) -> tuple[list[str], Published]:
    """Let the world change as it was tried, and publish the plan for it; return the ids of the changes, and the publication.

    Raises
    ------
    UnknownId, Conflict
        When there is none, no plan was made, or it was made real already.
    RulesBroken
        When the plan and what was decided since do not go together; names the rules.
    """
    row = what_ifs.get_what_if(session, identifier)
    if row.realised_at is not None:
        raise Conflict(f'what-if "{identifier}" was made real already')
    made = [add_disruption(session, by, tried.disruption, tried.reason, now).row.id for tried in map(_load, row.disruptions)]
    published = publish(session, by, identifier, now)
    assert published.row.id is not None
    what_ifs.note_realised(row, published.row.id, now)
    write_audit(session, by, "what-if.realise", "what-if", identifier, now, disruptions=made)
    return made, published


def _describe(session: Session, row: WhatIfRow, requested: RequestedPlan) -> WhatIfResult:
    """Return what would be if a plan for a changed world were published now, beside what stands."""
    assert requested.plan is not None
    tried = [] if row.realised_at is not None else [_load(document).disruption for document in row.disruptions]
    try:
        diff = preview_publication(session, requested, tried)
    except InvalidFile as error:
        raise Conflict(f"the world has changed since it was tried: {error.faults[0].message}") from None
    assert diff is not None
    comparison, present = diff.comparison, diff.asked_before
    # What was proven is of the plan as it was made, not of one that gave way to decisions since.
    bound = requested.plan.bound if diff.after.cost == requested.plan.cost else None
    reasons = {left.visit: left.reasons for left in requested.plan.unscheduled}
    dropped = [change.id for change in comparison.changes if (change.kind, change.difference) == ("visit", "dropped")]
    return WhatIfResult(
        diff=diff,
        bound=bound,
        call=list_calls(session, present, comparison.notify),
        left_out=[_describe_left_out(present, visit, reasons) for visit in dropped],
    )


def _describe_left_out(scenario: Scenario, visit: str, reasons: Any) -> LeftOut:
    patient = scenario.visits_by_id[visit].patient
    described = describe_reasons(scenario, visit, reasons.get(visit, ()))
    return LeftOut(visit, patient, scenario.patients_by_id[patient].name, described)


def _dump(scenario: Scenario, tried: TriedDisruption) -> dict[str, Any]:
    """Return a change of the world as it is kept."""
    disruption = tried.disruption
    document = {"kind": get_kind(disruption), "reason": tried.reason, **disruption.model_dump(mode="json")}
    if isinstance(disruption, PlaceClosure):
        is_room = disruption.place in scenario.rooms
        document |= {"location": None if is_room else disruption.place, "room": disruption.place if is_room else None}
    return document


def _load(document: dict[str, Any]) -> TriedDisruption:
    """Return a change of the world that was kept."""
    times = {name: datetime.fromisoformat(document[name]) for name in ("start", "end")}
    match document["kind"]:
        case "absence":
            return TriedDisruption(ProviderAbsence(provider=document["provider"], **times), document["reason"])
        case "closure":
            return TriedDisruption(PlaceClosure(place=document["place"], **times), document["reason"])
    extra = ExtraShift(provider=document["provider"], locations=tuple(document["locations"]), **times)
    return TriedDisruption(extra, document["reason"])
