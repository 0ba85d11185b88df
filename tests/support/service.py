"""A service to test with: people, two visits, and one account of each role; time stands still until a test moves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from support import factories

from api.access.actor import AccessRole
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account
from api.store.audit import list_entries
from api.store.database import Database
from api.store.queries import periods
from api.store.tables import AuditRow

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""What argon2 costs is the library's affair."""

PASSWORD = "a long pass phrase"
SECRET = "a signing key of the tests, long enough"
FOREIGN = "foreign-visit"
OWN = "own-visit"


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 30, 14, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


def bearer(secret: str) -> dict[str, str]:
    """Return the header that carries a secret."""
    return {"Authorization": f"Bearer {secret}"}


def peopled(database: Database) -> None:
    """Import a scenario with a visit that asks for ana and one that does not, and make one account of each role of staff."""
    asked = [
        factories.visit(OWN, "pat", preferred_providers=["ana"]),
        factories.visit(FOREIGN, "quin", required_provider="ben"),
    ]
    with database.writing() as session:
        periods.keep_scenario(session, factories.scenario(*asked), Clock().now)
        for role in (AccessRole.SCHEDULER, AccessRole.CLINICIAN, AccessRole.ADMIN):
            new = NewAccount(role.value, role, "ana" if role is AccessRole.CLINICIAN else None)
            add_account(session, SYSTEM, new, CHEAP.hash(PASSWORD), None, Clock().now)


def denials(database: Database) -> list[AuditRow]:
    """Return what the audit says of those who were not let."""
    with database.reading() as session:
        return [row for row in list_entries(session) if row.outcome == "denied"]
