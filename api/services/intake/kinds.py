"""What may be asked for when a patient is referred, for all doors: the kinds of the catalogue.

A kind leads to a pathway of the catalogue, to a seat in a programme, or to another department. Its pathway says when the first
visit is due; its priority is the usual one, which a request may raise or lower.
"""

from __future__ import annotations

from collections.abc import Mapping

from scheduling import catalogue
from scheduling.catalogue import list_kinds
from scheduling.catalogue.entries import RequestKind
from scheduling.errors import UnknownId
from scheduling.workbook.documents import GROUP, REFERRAL_OUT

__all__ = [
    "GROUP",
    "REFERRAL_OUT",
    "RequestKind",
    "find_kind",
    "find_same_day_kind",
    "get_kind",
    "list_kinds",
    "list_needing_kinds",
]


def find_kind(identifier: str) -> RequestKind | None:
    """Return a kind by its id; None: there is none."""
    return next((kind for kind in list_kinds() if kind.id == identifier), None)


def get_kind(identifier: str) -> RequestKind:
    """Return a kind by its id. Raises ``UnknownId``."""
    kind = find_kind(identifier)
    if kind is None:
        raise UnknownId("kind", identifier)
    return kind


def find_same_day_kind(service: str) -> RequestKind | None:
    """Return the kind by which a service is asked for on the day of the referral and nothing after it; None: there is none."""
    for kind in list_kinds():
        steps = () if kind.pathway is None else catalogue.get_pathway(kind.pathway).steps
        if len(steps) == 1 and steps[0].same_day and steps[0].service == service:
            return kind
    return None


def list_needing_kinds() -> Mapping[str, tuple[str, ...]]:
    """Return, for each field that some kinds need, those kinds: to all others it says nothing."""
    kinds = list_kinds()
    return {field: tuple(kind.id for kind in kinds if field in kind.needs) for kind in kinds for field in kind.needs}
