"""Families of services, and a colour for each, light enough for black text on screen and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

from scheduling import catalogue
from scheduling.errors import UnknownId

COLOURS = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#44bb99", "#99ddff", "#bbcc33", "#cc99cc")
"""Paul Tol's *light* scheme, told apart by most colour-blind readers, with a violet for its olive.

References
----------
P. Tol, *Colour Schemes*, SRON/EPS/TN/09-002, 2021.
"""

OTHER = "other"
OTHER_COLOUR = "#dddddd"


def family(service_id: str) -> str:
    """Return the family of a service, ``OTHER`` for one that is not in the catalogue."""
    try:
        return catalogue.get_family(service_id)
    except UnknownId:
        return OTHER


def families(service_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the families of some services, in the catalogue's order, ``OTHER`` last."""
    present = {family(service_id) for service_id in service_ids}
    return tuple(name for name in (*catalogue.list_families(), OTHER) if name in present)


def colour(family: str) -> str:
    """Return a family's colour as ``#rrggbb``."""
    colours = dict(zip(catalogue.list_families(), cycle(COLOURS), strict=False))
    return next((shade for name, shade in colours.items() if name == family), OTHER_COLOUR)


def title(family: str) -> str:
    """Return a family's name for people."""
    return family.replace("-", " ")
