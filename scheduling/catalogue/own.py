"""A clinic's own values: a file that changes single values of the catalogue, each by its path in it.

::

    [services.spine-evaluation]
    minutes = 45
    [pathways.spinal-cord-stimulation.steps.trial]
    due_days = 7
    [limits]
    chronic_due_days = 14
    [policy.late_per_day]
    routine = 6

    [kinds.follow-up]
    priority = "soon"
    [instructions.services.spine-evaluation.arrive]
    minutes = 20
    [[add.kinds]]
    id = "second-opinion"
    …

Tables of entries are named by the entries' ids; a limit and a weight stand for their value; tables of ``add`` are new entries,
whole. What the file does not name stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduling.errors import Fault, InvalidFile

OURS = "ours"

VALUED = ("limits", "policy")
"""Sections whose entries are a value with its unit."""

ADDED = "add"
"""The section of new entries."""

INSTRUCTIONS = "instructions"
"""The section of what patients are told: all of that file of the catalogue. Its sentences are the clinic's own: "ours"."""


def override(document: dict[str, Any], own: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a catalogue file's values with the clinic's own in their place; each changed entry says that it is.

    Raises
    ------
    InvalidFile
        With each path that names nothing in the file.
    """
    changed = dict(document)
    faults: list[Fault] = []
    for section, entries in own.get(ADDED, {}).items():
        if isinstance(document.get(section), list):
            changed[section] = [*document[section], *({"source": source, **entry} for entry in entries)]
    for section in own.keys() & document.keys():
        changed[section], section_faults = _merge(changed[section], own[section], section, source)
        faults += section_faults
    if faults:
        raise InvalidFile(source, faults)
    return changed


def find_unknown_sections(own: Mapping[str, Any], known: set[str]) -> Iterator[Fault]:
    """Yield the sections that no catalogue file has."""
    sections = sorted({*own, *own.get(ADDED, {})} - known - {ADDED})
    yield from (Fault(section, f"unknown section: one of {', '.join(sorted(known))}") for section in sections)


def _merge(known: Any, own: Any, path: str, source: str) -> tuple[Any, list[Fault]]:
    """Return one value, or all below it, with the clinic's own in its place."""
    if isinstance(known, list) and all(isinstance(entry, dict) and "id" in entry for entry in known) and isinstance(own, dict):
        return _merge_entries(known, own, path, source)
    if not isinstance(known, dict) or not isinstance(own, dict):
        if path.partition(".")[0] in VALUED and isinstance(known, dict):
            return {**known, "value": own, "source": source}, []
        return own, []
    inner = known["value"] if path.partition(".")[0] in VALUED and isinstance(known.get("value"), dict) else known
    made, faults = dict(inner), []
    for key, value in own.items():
        here = f"{path}.{key}"
        made[key], section_faults = _merge(inner.get(key), value, here, source)
        faults += section_faults
        if key not in inner and path.partition(".")[0] in VALUED:
            faults.append(Fault(here, "unknown key"))
    if inner is not known:
        return {**known, "value": made, "source": source}, faults
    told = path.partition(".")[0] == INSTRUCTIONS
    return ({**made, "source": OURS if told else source} if "source" in known else made), faults


def _merge_entries(known: list[dict[str, Any]], own: Mapping[str, Any], path: str, source: str) -> tuple[Any, list[Fault]]:
    places = {entry["id"]: number for number, entry in enumerate(known)}
    made, faults = list(known), []
    for identifier, values in own.items():
        here = f"{path}.{identifier}"
        if identifier not in places:
            faults.append(Fault(here, "unknown id"))
            continue
        made[places[identifier]], section_faults = _merge(known[places[identifier]], values, here, source)
        faults += section_faults
    return made, faults
