"""Refusals: of broken rules, each with what it concerns, the finding and a sentence; of bookings that name nothing known."""

from __future__ import annotations

from collections.abc import Sequence

from api.runtime.exceptions import ErrorDetail
from api.web.words.sentences import describe_violations
from scheduling.errors import Fault, InvalidFile
from scheduling.plan import GroupBooking, Plan, Violation, VisitBooking, find_plan_faults
from scheduling.scenario import Scenario


def list_broken_rules(scenario: Scenario, plan: Plan, violations: Sequence[Violation]) -> list[ErrorDetail]:
    """Return what a refusal says of the rules that a plan would break; ids, and no patient's name."""
    sentences = describe_violations(scenario, plan, violations, discreet=True)
    return [
        ErrorDetail(violation.detail, violation.rule, ", ".join(violation.ids), words)
        for violation, words in zip(violations, sentences, strict=True)
    ]


def expect_sound(scenario: Scenario, plan: Plan, wanted: VisitBooking | GroupBooking) -> None:
    """Refuse a booking that names what there is not, or ends wrongly, at its place in the body. Raises ``InvalidFile``."""
    section = "visits" if isinstance(wanted, VisitBooking) else "groups"
    nothing = dict.fromkeys(("visits", "groups", "holds", "shifts", "unscheduled"), ())
    alone = plan.changed(**{**nothing, section: (wanted,)})
    prefix = f"{section}[0]."
    faults = [
        Fault(f"body.{fault.path.removeprefix(prefix)}", fault.message)
        for fault in find_plan_faults(scenario, alone)
        if fault.path.startswith(prefix)
    ]
    if faults:
        raise InvalidFile("body", faults)
