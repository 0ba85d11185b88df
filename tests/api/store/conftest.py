"""A small week in the store, with a plan that may be published."""

from __future__ import annotations

import pytest
from support import factories
from support.factories import booking, group, link, reserve, session, visit
from support.stored import NOW, StoredWeek

from api.store.database import Database
from api.store.queries import periods
from scheduling.plan import Plan
from scheduling.scenario import Scenario


@pytest.fixture
def asked() -> Scenario:
    """Return a week with visits that take a room, a bay and cleaning, a group and a reserve."""
    return factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "quin", "evaluation", priority="urgent", target="WE"),
        visit("v-3", "pat", "injection"),
        visit("v-4", "rae"),
        link("v-1", "v-3"),
        group("coping", "quin", "sol", "tam"),
        reserve("hold-1", "TU"),
    )


@pytest.fixture
def made(asked: Scenario) -> Plan:
    """Return a plan of the week that leaves out a visit."""
    return factories.plan(
        asked,
        booking("v-1", "TU 09:00", team="dee"),
        booking("v-2", "MO 13:00", "west-exam", "ana ben", "west"),
        booking("v-3", "FR 13:00", "wang-proc-1", "cy", supervisors="ana"),
        session("coping", "TH 09:00", "quin tam"),
        booking("hold-1", "TU 13:00"),
    )


@pytest.fixture
def week(store: Database, asked: Scenario) -> StoredWeek:
    """Return the week in a store."""
    with store.writing() as rows:
        periods.keep_scenario(rows, asked, NOW)
    return StoredWeek(store, asked)
