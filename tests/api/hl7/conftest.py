"""A published week in a store, and a health record that mirrors it."""

from __future__ import annotations

import pytest
from support.ehr import Ehr
from support.partners import partner
from support.stored import NOW, StoredWeek

from api.store.database import Database
from api.store.queries import periods
from scheduling import catalogue
from scheduling.plan import Plan
from scheduling.scenario import Scenario


@pytest.fixture
def asked(asked: Scenario) -> Scenario:
    """Return the week in a clinic that offers whatever a patient may be referred for."""
    clinic, first = asked.clinic, asked.clinic.services[0]
    known = {service.id for service in clinic.services}
    offered = {step.service for pathway in catalogue.list_pathways() for step in pathway.steps} - known
    more = tuple(first.changed(id=service, name=service) for service in sorted(offered))
    return asked.changed(clinic=clinic.changed(services=(*clinic.services, *more)))


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
