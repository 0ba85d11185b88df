"""What is added to a scenario that has a plan: a visit, or several that go together.

A file holds one visit, as a scenario's ``visits`` do, or ``{"visits": [...], "links": [...], "patients": [...]}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

from pydantic_core import from_json, to_json

from scheduling.defaults import complete_patients, complete_visits
from scheduling.drafts import SECTIONS, Draft, make_draft, salvage, sort_by_place
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Model
from scheduling.files import read_json
from scheduling.people import Patient
from scheduling.references import MAX_FAULTS, find_reference_faults, parse_path, validate_text
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario

KNOWN = "scenario."
"""Precedes the paths of what the scenario has already."""


class Addition(Model):
    """Visits that a scenario does not have yet, all or none of them to be planned.

    Attributes
    ----------
    visits : tuple of Visit
        At least one.
    links : tuple of Link
        Each with at least one of ``visits``; its other visit may be one of the scenario's.
    patients : tuple of Patient
        Those of ``visits`` whom the scenario does not know.
    """

    visits: tuple[Visit, ...]
    links: tuple[Link, ...] = ()
    patients: tuple[Patient, ...] = ()

    @classmethod
    def read(cls, path: Path | str, scenario: Scenario) -> Self:
        """Read an addition and hold it against its scenario. Raises ``InvalidFile`` with every fault, each by its path."""
        return cls.parse(read_json(Path(path)), scenario, str(path))

    @classmethod
    def parse(cls, text: bytes | str, scenario: Scenario, source: str = "addition") -> Self:
        """Validate an addition from JSON text. Raises ``InvalidFile``."""
        raw, alone = _unwrap(text)
        if raw is None:
            addition, faults = validate_text(cls, text)
        else:
            addition, faults = validate_text(cls, to_json(raw))
            misshapen = {place[:2] for place, _ in faults}
            draft = _draft(scenario, salvage(raw, misshapen).elements)
            faults += [(parse_path(fault.path), fault) for fault in islice(_reference_faults(draft, raw), MAX_FAULTS)]
        if addition is None or faults:
            named = [fault for _, fault in faults] if raw is None else sort_by_place(raw, faults)
            raise InvalidFile(source, [_without_index(fault) for fault in named] if alone else named)
        return addition

    def add_to(self, scenario: Scenario) -> Scenario:
        """Return the scenario with the addition; nothing is validated again."""
        return scenario.changed(
            visits=(*scenario.visits, *complete_visits(self.visits, scenario.horizon)),
            links=(*scenario.links, *self.links),
            patients=(*scenario.patients, *complete_patients(self.patients, scenario.clinic)),
        )


def _unwrap(text: bytes | str) -> tuple[Mapping[str, Any] | None, bool]:
    """Return an addition's JSON object, and whether it was one visit alone; None when the text is no object."""
    try:
        raw = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None, False
    if not isinstance(raw, dict):
        return None, False
    alone = raw.keys().isdisjoint(Addition.model_fields)
    return ({"visits": [raw]} if alone else raw), alone


def _without_index(fault: Fault) -> Fault:
    return Fault(fault.path.removeprefix("visits[0]").removeprefix("."), fault.message)


def _draft(scenario: Scenario, added: Mapping[str, Sequence[tuple[str, Any]]]) -> Draft:
    """Draft what an addition's references are judged by: its own elements, and all that the scenario has."""
    known = make_draft(scenario)
    elements: dict[str, list[tuple[str, Any]]] = {section: [] for section in SECTIONS}
    ids = {section: dict(paths) for section, paths in known.ids.items()}
    for section in Addition.model_fields:
        elements[section] += [(f"{KNOWN}{path}", element) for path, element in known.of(section)]
        elements[section] += added[section]
        if section in ids:
            ids[section] |= {element.id: path for path, element in added[section] if hasattr(element, "id")}
    return Draft(elements, ids, None, None)


def _reference_faults(draft: Draft, raw: Mapping[str, Any]) -> Iterator[Fault]:
    if raw.get("visits") == []:
        yield Fault("visits", "holds no visit")
    for fault in find_reference_faults(draft):
        if not fault.path.startswith(KNOWN):
            yield fault
        elif fault.path.startswith(f"{KNOWN}links"):  # the addition's links and the scenario's make a cycle together
            yield Fault("links", fault.message)
    known = {element.id for path, element in draft.of("visits") if path.startswith(KNOWN)}
    for path, link in draft.of("links"):
        strange = None not in (link.before, link.after) and known.issuperset((link.before, link.after))
        if not path.startswith(KNOWN) and strange:
            yield Fault(path, "links no visit of the addition")
