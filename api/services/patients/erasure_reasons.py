"""Why a patient's data are deleted."""

from __future__ import annotations

from enum import StrEnum


class ErasureReason(StrEnum):
    """The grounds of the General Data Protection Regulation, article 17(1), (a) to (e)."""

    NO_LONGER_NEEDED = "no-longer-needed"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal-obligation"
