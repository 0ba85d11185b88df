"""The table of words has a sentence for each rule and cost, and sentences name people, not ids."""

from __future__ import annotations

import pytest
from support import factories
from support.factories import booking, visit

from api.store.tables.plans import BookingState
from api.web.words import load_words
from api.web.words.sentences import describe_reason, describe_violations
from scheduling.plan import COMPONENTS, Reason
from scheduling.rules import RULES, find_violations, get_rule_name


def test_each_rule_and_each_cost_has_words() -> None:
    words = load_words()
    assert set(words["rules"]) == {get_rule_name(rule) for rule in RULES}
    assert set(words["costs"]) == set(COMPONENTS)


def test_a_broken_rule_is_told_by_names() -> None:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    stands = factories.plan(asked, booking("v-1", "TU 09:00"), booking("v-2", "TU 09:10"))
    broken = [violation for violation in find_violations(asked, stands) if violation.rule == "room-overlap"]
    (sentence,) = describe_violations(asked, stands, broken)
    names = [patient.name for patient in asked.patients if patient.id in ("pat", "quin")]
    assert all(name in sentence for name in names) and "Tue 1 Dec" in sentence
    assert "v-1" not in sentence and "v-2" not in sentence


@pytest.mark.parametrize("rule", ["shift", "making-room", "a-rule-of-tomorrow"])
def test_a_reason_is_a_sentence_whatever_the_rule(rule: str) -> None:
    asked = factories.scenario(visit("v-1", "pat"))
    sentence = describe_reason(asked, "v-1", Reason(rule=rule, detail="nobody is there."))
    assert "nobody is there" in sentence and ".." not in sentence


def test_what_becomes_of_a_booking_has_words() -> None:
    states: tuple[BookingState, ...] = ("arrived", "no-show", "done")
    assert {f"booking.{prefix}{state}" for state in states for prefix in ("", "not-")} <= load_words()["actions"].keys()
