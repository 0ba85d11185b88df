"""A published week in a store, and a health record that mirrors it."""

from __future__ import annotations

import pytest
from support.ehr import Ehr
from support.partners import partner
from support.stored import NOW, StoredWeek

from api.store import periods
from api.store.database import Database
from scheduling.plan import Plan
from scheduling.scenario import Scenario


@pytest.fixture
def week(store: Database, asked: Scenario, made: Plan) -> StoredWeek:
    """Return the week in a store, with its plan published."""
    with store.writing() as session:
        periods.keep_scenario(session, asked, NOW)
    stored = StoredWeek(store, asked)
    stored.publish(made)
    return stored


@pytest.fixture
def ehr() -> Ehr:
    """Return a health record that knows nothing yet."""
    return Ehr(partner())
