"""Nobody without an account keeps a scheduler waiting, or fills the memory; without what holds an attack, it would."""

from __future__ import annotations

import pytest
from support.attacked import HELD, OTHERS, fare, holds

SECONDS = 5

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("name", [*OTHERS, *HELD])
def test_reads_go_on_under_an_attack(name: str) -> None:
    fared = fare(OTHERS.get(name) or HELD[name][0], "", SECONDS)
    assert holds(fared), fared


@pytest.mark.parametrize("name", HELD)
def test_without_what_holds_it_an_attack_would_be_felt(name: str) -> None:
    attack, undone = HELD[name]
    fared = fare(attack, undone, SECONDS)
    assert not holds(fared), fared
