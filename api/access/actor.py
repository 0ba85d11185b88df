"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

UNKNOWN, NOBODY = "unknown", "none"
"""Who and what somebody is in the audit who could not tell who they are."""


class AccessRole(StrEnum):
    """What somebody may be to the clinic."""

    SCHEDULER = "scheduler"
    CLINICIAN = "clinician"
    PATIENT = "patient"
    ADMIN = "admin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as the access table and the audit know them.

    Attributes
    ----------
    id : str
        The account, or the patient's link.
    role : AccessRole
        What they may do.
    credential : str
        The session, token or link by which they came: its id, never its secret.
    provider : str or None
        Who a clinician is among the providers.
    visit : str or None
        The one visit that a patient's link opens.
    maker : AccessRole or None
        The role of who has made a patient's link: it opens nothing of staff's that is closed to them.
    is_confined : bool
        Whether their role needs a second factor that their account does not have: they may add it, and nothing else.
    scopes : frozenset of str
        What a hospital system may do, as ``Appointment.s``: the type of resource, and one of create, read, update and search.
    """

    id: str
    role: AccessRole
    credential: str = ""
    provider: str | None = None
    visit: str | None = None
    maker: AccessRole | None = None
    is_confined: bool = False
    scopes: frozenset[str] = frozenset()

    def may_see(self, kind: str) -> bool:
        """Return whether resources of a type may come along with what was asked for (SMART App Launch 2.2, scopes)."""
        return self.role is not AccessRole.SYSTEM or not self.scopes.isdisjoint({f"{kind}.r", f"{kind}.s"})
