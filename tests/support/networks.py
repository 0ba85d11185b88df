"""Networks: the scenarios of several clinics as one, with some patients in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from scheduling.scenario import Scenario

JOINED = ("sites", "locations", "travel", "closures", "rooms", "equipment", "recovery", "services", "blocks")
"""Lists of a clinic that a network has of all its clinics."""

ASKED = ("providers", "patients", "visits", "links", "groups", "reserves")
"""Lists of a scenario that a network has of all its clinics."""

WORDS = {"name", "address", "reason", "role", "skills", "any_of", "kind", "features", "equipment", "priority", "prefers"}
"""Fields whose text is nobody's id."""


def join_clinics(clinics: Sequence[Scenario], joint: int = 0, seed: int = 0) -> Scenario:
    """Return the scenarios of clinics as one; some visits are those of patients of the next clinic."""
    parts = [_mark(json.loads(asked.model_dump_json(by_alias=True)), f"@{number}") for number, asked in enumerate(clinics)]
    whole = parts[0] | {"id": f"network-{len(parts)}"}
    for part in parts[1:]:
        for name in JOINED:
            whole["clinic"][name] += part["clinic"][name]
        for name in ASKED:
            whole[name] += part[name]
    whole["horizon"]["end"] = max(part["horizon"]["end"] for part in parts)
    _share_patients(whole, len(parts), joint if len(parts) > 1 else 0, Random(seed))
    return Scenario.parse(json.dumps(whole), "network")


def _mark(asked: dict[str, Any], mark: str) -> dict[str, Any]:
    """Return a scenario whose every id ends with a mark."""
    clinic = asked["clinic"]
    lists = [clinic[name] for name in ("sites", "locations", "rooms", "services", "blocks")]
    lists += [asked[name] for name in ASKED if name != "links"]
    ids = {entry["id"] for entries in lists for entry in entries}

    def mark_all(value: Any, field: str) -> Any:
        if isinstance(value, Mapping):
            return {name: mark_all(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [mark_all(entry, field) for entry in value]
        return f"{value}{mark}" if isinstance(value, str) and value in ids and field not in WORDS else value

    marked: dict[str, Any] = mark_all(asked, "")
    return marked


def _share_patients(whole: dict[str, Any], clinics: int, joint: int, random: Random) -> None:
    """Give some visits to patients of the next clinic, who can reach its sites too."""
    linked = {visit for link in whole["links"] for visit in (link["before"], link["after"])}
    free = [visit for visit in whole["visits"] if visit["id"] not in linked]
    for visit in random.sample(free, min(joint, len(free))):
        here = int(visit["id"].rpartition("@")[2])
        others = [patient for patient in whole["patients"] if patient["id"].endswith(f"@{(here + 1) % clinics}")]
        patient = random.choice(others)
        sites = {site["id"] for site in whole["clinic"]["sites"] if site["id"].endswith(f"@{here}")}
        patient["allowed_sites"] = sorted({*patient["allowed_sites"], *sites})
        visit["patient"] = patient["id"]
