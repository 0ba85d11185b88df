"""What the service says no to: the branch of the error tree that concerns requests.

::

    ClinicweaveError
    └── ServiceError              cannot be granted as things stand; nothing has changed
        ├── Unauthenticated  nobody known asks
        │   └── CodeNeeded   the password is right, and no code of the second factor that counts came with it
        ├── Forbidden        this role may not do this, or not to this object
        ├── Conflict         what is asked collides with what is there
        │   ├── RulesBroken  a booking made by hand breaks rules; names each of them
        │   └── NoRoom       a day cannot take somebody who has to be seen on it, whoever gives way
        ├── Stale            the object has changed since it was read
        ├── VersionMissing   a change that does not say which version it changes
        ├── KeyReused        an Idempotency-Key that came before with another request
        ├── TooMany          too many requests, or a queue that is full
        └── Unavailable      a part that is needed does not answer

A refusal carries ids and rules, never names or clinical text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.errors import ClinicweaveError


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One reason of a refusal: the rule, where in the request, what is wrong, and a sentence that a scheduler can read."""

    detail: str
    rule: str | None = None
    path: str | None = None
    words: str | None = None


class ServiceError(ClinicweaveError):
    """A request that cannot be granted as things stand; nothing has changed.

    Attributes
    ----------
    detail : str
        One sentence for the caller.
    details : tuple of ErrorDetail
        Every reason, where there are several or they have places.
    """

    def __init__(self, detail: str, details: Sequence[ErrorDetail] = ()) -> None:
        self.detail = detail
        self.details = tuple(details)
        super().__init__(detail, self.details)

    def __str__(self) -> str:
        return self.detail


class Unauthenticated(ServiceError):
    """Nobody known asks: no credential, or one that is unknown, revoked, or has run out."""


class CodeNeeded(Unauthenticated):
    """The password is right, and the code of the second factor is missing, wrong, or was taken before."""


class Forbidden(ServiceError):
    """The role may not do this, or not to this object; the two are not told apart, so that ids cannot be probed."""


class Conflict(ServiceError):
    """What is asked collides with what is there."""


class RulesBroken(Conflict):
    """A booking made by hand breaks rules; the details name each of them."""


class NoRoom(Conflict):
    """A day cannot take somebody who has to be seen on it, whoever gives way; the details say why.

    Attributes
    ----------
    proven : bool
        An exact plan of those who give way to nobody proves it; else none was found in time.
    """

    def __init__(self, detail: str, details: Sequence[ErrorDetail], proven: bool) -> None:
        self.proven = proven
        super().__init__(detail, details)


class Stale(ServiceError):
    """The object has changed since the caller read it."""


class VersionMissing(ServiceError):
    """A change that does not say which version it changes."""


class KeyReused(ServiceError):
    """An Idempotency-Key that came before with another request."""


class TooMany(ServiceError):
    """Too many requests, or a queue that is full.

    Attributes
    ----------
    retry_seconds : int
        When to ask again.
    """

    def __init__(self, detail: str, retry_seconds: int) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(detail)


class Unavailable(ServiceError):
    """A part that is needed does not answer; asking again later may help."""
