"""What several changes of a week would come to, told before anything of it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel
from sqlmodel import Session

from api.services.bookings.by_hand import FINAL
from api.services.bookings.change_sets import ChangeSetDecision
from api.services.bookings.decisions import Decision
from api.services.intake.same_day import SameDayDecision
from api.services.weeks.free_places import VisitPlaces
from api.store.queries import messages
from api.web.words.sentences import describe_violations
from scheduling.comparison import Change, CostChange
from scheduling.plan import Violation
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario


class BrokenRule(BaseModel):
    """A rule that would be broken: by what, in a sentence and in the checker's words, and whether no reason overrides it."""

    rule: str
    ids: tuple[str, ...]
    words: str
    detail: str
    final: bool


class PatientToCall(BaseModel):
    """Somebody who has been told of something else, and how they are told of the change."""

    patient: str
    name: str
    by: Literal["mail", "phone"]


class CallBudget(BaseModel):
    """How many patients may be called again, how many the changes would call, and how many are left; None: no limit."""

    limit: int | None
    used: int
    left: int | None


class CallNotice(BaseModel):
    """Who would be called, and what would be left of the budget of calls."""

    call: list[PatientToCall]
    budget: CallBudget


class PlaceNotices(BaseModel):
    """The notice of a free place at which the patient hears nothing new, and of one for which they are called."""

    quiet: CallNotice
    calling: CallNotice


class Judgement(BaseModel):
    """What changes would come to together.

    ``applicable``: no rule is in the way, or whatever is broken may be, for the reasons given.
    """

    scenario: str
    version: int
    broken: tuple[BrokenRule, ...]
    cost: CostChange
    costs: dict[str, CostChange]
    call: list[PatientToCall]
    budget: CallBudget
    differences: tuple[Change, ...]
    applicable: bool


def judge_changes(session: Session, decision: ChangeSetDecision) -> Judgement:
    """Return what changes would come to, or have come to."""
    return _judge(session, decision, decision.broken, not decision.refused)


def judge_making_room(session: Session, decision: SameDayDecision) -> Judgement:
    """Return what it would come to that others give way to a visit; such a decision breaks no rule."""
    return _judge(session, decision, (), True)


def _judge(session: Session, decision: Decision, violations: Sequence[Violation], is_applicable: bool) -> Judgement:
    week, comparison = decision.week, decision.diff.comparison
    sentences = describe_violations(decision.asked, decision.diff.after, violations)
    broken = (
        BrokenRule(rule=violation.rule, ids=violation.ids, words=words, detail=violation.detail, final=violation.rule in FINAL)
        for violation, words in zip(violations, sentences, strict=True)
    )
    used = sum(1 for _ in list_notified_moves(week.scenario, decision.diff.after))
    return Judgement(
        scenario=week.scenario.id,
        version=0 if week.version is None else week.version.number,
        broken=tuple(broken),
        cost=comparison.cost,
        costs=comparison.costs,
        call=list_calls(session, week.scenario, comparison.notify),
        budget=_count_budget(week.scenario, used),
        differences=comparison.changes,
        applicable=is_applicable,
    )


def judge_places(session: Session, places: VisitPlaces) -> PlaceNotices | None:
    """Return who would be called for the free places of a visit; None where only a verdict on each can tell."""
    if places.called is None:
        return None
    scenario = places.week.scenario
    patient = scenario.visits_by_id[places.visit].patient
    return PlaceNotices(
        quiet=CallNotice(call=[], budget=_count_budget(scenario, places.called)),
        calling=CallNotice(call=list_calls(session, scenario, [patient]), budget=_count_budget(scenario, places.called + 1)),
    )


def list_calls(session: Session, scenario: Scenario, notify: Sequence[str]) -> list[PatientToCall]:
    """Return who has been told of something else than what changes, and how each is told."""
    addresses = messages.get_addresses(session, notify)
    return [
        PatientToCall(
            patient=patient,
            name=scenario.patients_by_id[patient].name,
            by="mail" if patient in addresses else "phone",
        )
        for patient in notify
    ]


def _count_budget(scenario: Scenario, used: int) -> CallBudget:
    limit = scenario.policy.max_notified_moves
    return CallBudget(limit=limit, used=used, left=None if limit is None else limit - used)
