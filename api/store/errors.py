"""The store's branch of the error tree.

::

    ClinicweaveError
    └── StoreError
        ├── DoubleBooked       a provider, room or patient is taken at that time: the database refused the booking
        ├── AlreadyThere       a row with that key exists
        ├── StillReferenced    a row names another that does not exist, or is named by one
        ├── ConstraintViolated  the database refuses the change by a rule of its own, as of audit rows
        ├── StaleVersion       somebody else has changed the row since it was read
        ├── NaiveTime          a time without zone was about to be stored
        ├── StoreBusy          other writers held the database for too long; to be tried again
        ├── StoreUnusable      the database cannot be opened or used as it is; says what to do
        │   ├── StoreInUse     a service or worker is at it, or a restore
        │   └── StoreUnwritable  it can be read still, but the disk is full, fails, or may only be read
        └── AuditBroken        the chain of audit rows does not hold from some row on
"""

from __future__ import annotations

from datetime import datetime

from scheduling.errors import ClinicweaveError, UnknownId


class StoreError(ClinicweaveError):
    """Root of the store's errors."""


class NoClinic(UnknownId):
    """Nothing was taken in yet: the store has no clinic."""

    def __init__(self) -> None:
        super().__init__("clinic", "")

    def __str__(self) -> str:
        return "no clinic is known yet; take in who works first (clinicweave roster FILE, or PUT /v1/roster)"


class DoubleBooked(StoreError):
    """The database refused a booking whose provider, room or patient is taken at that time.

    Attributes
    ----------
    resource, resource_id : str or None
        What is taken, where that is known: ``room`` and its id.
    starts_at : datetime or None
        When the booking that was refused would have begun, UTC.
    """

    def __init__(self, resource: str | None = None, resource_id: str | None = None, starts_at: datetime | None = None) -> None:
        self.resource = resource
        self.resource_id = resource_id
        self.starts_at = starts_at
        super().__init__(resource, resource_id, starts_at)

    def __str__(self) -> str:
        if self.resource is None or self.starts_at is None:
            return "a provider, the room or a patient is already booked at that time"
        return f'{self.resource} "{self.resource_id}" is already booked at {self.starts_at:%Y-%m-%dT%H:%MZ}'


class AlreadyThere(StoreError):
    """A row with the same key, or the same value of something unique, exists."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"already there: {self.what}"


class StillReferenced(StoreError):
    """A row names another one that does not exist, or another one still names it."""

    def __str__(self) -> str:
        return "a row names one that does not exist, or is still named by another"


class ConstraintViolated(StoreError):
    """The database refuses a value or a change by a rule of its own."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)

    def __str__(self) -> str:
        return f"the store refuses this: {self.rule}"


class StaleVersion(StoreError):
    """The row has another version than the one that was to be changed: somebody else was faster."""

    def __init__(self, kind: str, identifier: str, expected: int) -> None:
        self.kind = kind
        self.identifier = identifier
        self.expected = expected
        super().__init__(kind, identifier, expected)

    def __str__(self) -> str:
        return f'{self.kind} "{self.identifier}" is no longer at version {self.expected}'


class NaiveTime(StoreError):
    """A time without zone: nobody can tell which instant it means."""

    def __init__(self, value: str) -> None:
        self.value = value
        super().__init__(value)

    def __str__(self) -> str:
        return f"a time without zone cannot be stored: {self.value}"


class StoreBusy(StoreError):
    """Other writers held the database for longer than one waits."""

    def __str__(self) -> str:
        return "the database is busy; try again"


class StoreUnusable(StoreError):
    """The database cannot be opened or used as it is."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return self.reason


class StoreInUse(StoreUnusable):
    """A service or worker serves from the store, or a restore replaces it."""

    def __init__(self) -> None:
        super().__init__("a service or worker uses this store, or a restore replaces it; stop it first")


class StoreUnwritable(StoreUnusable):
    """The database can be read, but nothing can be written down: the disk is full, fails, or may only be read."""

    def __str__(self) -> str:
        return f"the database cannot be written: {self.reason}"


class AuditBroken(StoreError):
    """A row of the audit was changed, removed or put in: from it on the chain does not hold."""

    def __init__(self, sequence: int, finding: str) -> None:
        self.sequence = sequence
        self.finding = finding
        super().__init__(sequence, finding)

    def __str__(self) -> str:
        return f"the audit does not hold from row {self.sequence} on: {self.finding}"
