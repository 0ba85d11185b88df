"""What a refusal says of broken rules: each rule, what it concerns, the finding, and a sentence of the table of words."""

from __future__ import annotations

from collections.abc import Sequence

from api.runtime.exceptions import ErrorDetail
from api.web.words.sentences import describe_violations
from scheduling.plan import Plan, Violation
from scheduling.scenario import Scenario


def list_broken_rules(scenario: Scenario, plan: Plan, violations: Sequence[Violation]) -> list[ErrorDetail]:
    """Return what a refusal says of the rules that a plan would break; ids, and no patient's name."""
    sentences = describe_violations(scenario, plan, violations, discreet=True)
    return [
        ErrorDetail(violation.detail, violation.rule, ", ".join(violation.ids), words)
        for violation, words in zip(violations, sentences, strict=True)
    ]
