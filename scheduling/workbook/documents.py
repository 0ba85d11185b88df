"""The catalogue of a workbook: its sheets as the files of a catalogue hold them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from scheduling.errors import Fault
from scheduling.fields import Model
from scheduling.pathways import Pathway, find_pathway_faults
from scheduling.references import validate_text
from scheduling.scenario import Policy
from scheduling.workbook.book import Book, Row, find_origin, place
from scheduling.workbook.cells import suggest
from scheduling.workbook.scenarios import read_head, read_sections
from scheduling.workbook.weights import read_policy

OURS = "ours"
GROUP, REFERRAL_OUT = "group", "referral-out"
"""Kinds of referral that lead to a workshop's seat and to another department."""

NO_LIMIT = 1440
"""Minutes of a day."""


class _Pathways(Model):
    pathways: tuple[Pathway, ...]


Documents = dict[str, dict[str, Any]]


@cache
def read_usual() -> Mapping[str, Any]:
    """Return what holds where sheets say nothing."""
    return tomllib.loads(files(__package__).joinpath("usual.toml").read_text(encoding="utf-8"))


def make_documents(book: Book, source: str) -> tuple[Documents, list[Fault]]:
    """Return the files of the catalogue that a workbook says, and the faults that it has as one, each by its cell."""
    pathways, faults = _make_pathways(book, source)
    policy, wrong = read_policy(book.of("weights"))
    documents = {
        "clinic.toml": _make_clinic(book, policy, source),
        "services.toml": {"services": _make_services(book, source), "referrals": _make_named(book, "departments", source)},
        "pathways.toml": {"pathways": pathways},
        "kinds.toml": {"kinds": _make_kinds(book, source)},
        "instructions.toml": _make_told(book),
    }
    return documents, [*faults, *wrong, *_find_limit_faults(book)]


def _find_limit_faults(book: Book) -> list[Fault]:
    known = read_usual()["limits"]
    rows = [row for row in book.of("limits") if row.cells.get("limit", next(iter(known))) not in known]
    return [
        Fault(place("limits", row.number, "limit"), f'unknown limit "{row.cells["limit"]}"{suggest(row.cells["limit"], known)}')
        for row in rows
    ]


def _sourced(entries: Sequence[Mapping[str, Any]], source: str) -> list[dict[str, Any]]:
    return [{**entry, "source": source} for entry in entries]


def _make_clinic(book: Book, policy: Mapping[str, Any], source: str) -> dict[str, Any]:
    clinic = read_sections(book)
    chosen = Policy.model_validate(policy).model_dump()
    limits = {**read_usual()["limits"], **{row.cells["limit"]: row.cells["value"] for row in _whole(book, "limits", "value")}}
    return {
        "clinic": {**read_head(book)["clinic"], "source": source},
        "sites": _sourced(clinic["sites"], source),
        "locations": _sourced(clinic["locations"], source),
        "travel": _sourced(clinic["travel"], source),
        "rooms": _sourced([{"features": [], "seats": 1, "count": 1, "small": 1, **room} for room in clinic["rooms"]], source),
        "equipment": _sourced(clinic["equipment"], source),
        "recovery": _sourced([{**entry, "small": entry.get("bays", 0)} for entry in clinic["recovery"]], source),
        "blocks": _sourced([{**block, "roles": []} for block in clinic["blocks"]], source),
        "workshops": _make_workshops(book, source),
        "roles": _make_roles(book, source),
        "limits": {name: {"value": value, "unit": name.replace("_", " "), "source": source} for name, value in limits.items()},
        "held": _make_held(book, source),
        "policy": {
            name: {**({} if value is None else {"value": value}), "unit": "points", "source": source}
            for name, value in chosen.items()
        },
    }


def _whole(book: Book, sheet: str, *columns: str) -> list[Row]:
    """Return the rows of a sheet that have what says anything: rows without are faults already."""
    return [row for row in book.of(sheet) if {next(iter(row.cells), ""), *columns} <= row.cells.keys()]


def _make_workshops(book: Book, source: str) -> list[dict[str, Any]]:
    return [
        {"required": True, "min_attendees": 1, "name": row.cells.get("id"), **row.cells, "source": source}
        for row in book.of("workshops")
    ]


def _make_roles(book: Book, source: str) -> list[dict[str, Any]]:
    """Return a role for each profession, with all that its people can do."""
    roles: dict[str, dict[str, Any]] = {}
    for row in book.of("people"):
        name = row.cells.get("role", row.cells.get("id", ""))
        role = roles.setdefault(name, {"id": name, "name": name, "skills": [], "trainee": False, "source": source})
        role["skills"] = list(dict.fromkeys([*role["skills"], *row.cells.get("skills", ())]))
        role["trainee"] |= row.cells.get("trainee", False)
        role["max_minutes_per_day"] = row.cells.get("max_minutes_per_day", NO_LIMIT)
    return list(roles.values())


def _make_held(book: Book, source: str) -> list[dict[str, Any]]:
    rows = (row.cells for row in book.of("held_time"))
    return [
        {
            "service": cells.get("service"),
            "site": cells.get("site"),
            "weekdays": list(cells.get("days", ())),
            "windows": [{"start": _clock(cells.get("from")), "end": _clock(cells.get("to"))}],
            "notice_days": cells.get("notice_days", 0),
            "quantile": read_usual()["held"]["quantile"],
            "usual": cells.get("number"),
            "source": source,
        }
        for cells in rows
    ]


def _clock(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="minutes")


def _make_services(book: Book, source: str) -> list[dict[str, Any]]:
    families = {row.cells.get("id"): row.cells.get("family", "services") for row in book.of("services")}
    everywhere = list(book.values("buildings", "id"))
    return [
        {"locations": everywhere, **service, "family": families.get(service.get("id")), "source": source}
        for service in read_sections(book)["services"]
    ]


def _make_named(book: Book, sheet: str, source: str) -> list[dict[str, Any]]:
    return [{"name": row.cells.get("id"), **row.cells, "source": source} for row in book.of(sheet)]


def _make_kinds(book: Book, source: str) -> list[dict[str, Any]]:
    kinds = [{key: value for key, value in kind.items() if key != "per_week"} for kind in _make_named(book, "kinds", source)]
    if book.of("workshops"):
        kinds.append({"id": GROUP, "name": "seat in a monthly group", "needs": ["programme"], "source": source})
    if book.of("departments"):
        kinds.append(
            {"id": REFERRAL_OUT, "name": "patient sent to another department", "needs": ["department"], "source": source}
        )
    return kinds


# ---- Pathways: the rows of a step are one for each step that it follows ----

STEP = {"service": "service", "times": "times", "recurs": "recurs", "due_days": "due_days", "same_day": "same_day"}
LAG = {"min_days": "min_days", "max_days": "max_days", "together": "together"}
SAME = {"same_building": "same_location", "same_person": "same_provider"}


def _make_pathways(book: Book, source: str) -> tuple[list[dict[str, Any]], list[Fault]]:
    pathways, origins = dict[str, dict[str, Any]](), dict[str, int]()
    for row in book.of("pathways"):
        cells = row.cells
        identifier = cells.get("pathway", "")
        made = pathways.setdefault(
            identifier, {"id": identifier, "name": cells.get("name", identifier), "source": source, "steps": []}
        )
        path = f"pathways[{list(pathways).index(identifier)}]"
        steps: list[dict[str, Any]] = made["steps"]
        step = next((known for known in steps if known["id"] == cells.get("step")), None)
        if step is None or "after" not in cells:
            step = _make_step(cells)
            steps.append(step)
        here = f"{path}.steps[{steps.index(step)}]"
        if "after" in cells:
            origins[f"{here}.follows[{len(step.setdefault('follows', []))}]"] = row.number
            step["follows"].append(_make_follow(cells))
        origins.setdefault(path, row.number)
        origins.setdefault(here, row.number)
    return list(pathways.values()), _judge_pathways(list(pathways.values()), book, origins)


def _make_step(cells: Mapping[str, Any]) -> dict[str, Any]:
    step: dict[str, Any] = {"id": cells.get("step"), **{name: cells[key] for key, name in STEP.items() if key in cells}}
    every = {name: cells[f"every_{name}"] for name in ("min_days", "max_days") if f"every_{name}" in cells}
    if every:
        step["every"] = every | {name: cells[key] for key, name in SAME.items() if key in cells}
    if "outcomes" in cells:
        named = [outcome.partition(":") for outcome in cells["outcomes"]]
        step["outcomes"] = [{"id": name.strip(), "then": then.strip() or "on"} for name, _, then in named]
    return step


def _make_follow(cells: Mapping[str, Any]) -> dict[str, Any]:
    lag = {name: cells[key] for key, name in (LAG | SAME).items() if key in cells}
    return {"step": cells["after"], **({"outcome": cells["outcome"]} if "outcome" in cells else {}), **lag}


def _judge_pathways(pathways: Sequence[Mapping[str, Any]], book: Book, origins: Mapping[str, int]) -> list[Fault]:
    read, faults = validate_text(_Pathways, json.dumps({"pathways": pathways}))
    wrong = [fault for _, fault in faults]
    if read is not None:
        wrong = list(find_pathway_faults(read.pathways, set(book.values("services", "id"))))
    return [_find_cell(fault, origins) for fault in wrong]


def _find_cell(fault: Fault, origins: Mapping[str, int]) -> Fault:
    path = find_origin(fault.path, origins)
    names = re.findall(r"[a-z_]+", fault.path.removeprefix(path))
    column = "_".join(name for name in names if name not in ("follows",)) or "step"
    column = {"step": "after", "follows_step": "after", "id": "step"}.get(column, column) if names else "step"
    return Fault(place("pathways", origins.get(path), column), fault.message)


# ---- What patients are told ----


def _make_told(book: Book) -> dict[str, Any]:
    usual = read_usual()["told"]
    phone = next(iter(book.values("clinic", "phone")), None)
    return {
        "sources": {"clinic": "The clinic's workbook.", OURS: "Our default where the workbook says nothing."},
        "unspoken": {"source": OURS, "words": []},
        "reminders": {"source": OURS, **read_usual()["reminders"]},
        "default": {
            "arrive": {"minutes": usual["arrive_minutes"], "source": OURS},
            "bring": [],
            "companion": _sentence(usual["companion"], OURS),
            "hold": [],
        },
        "default_procedure": {},
        "families": {},
        "services": {row.cells["id"]: _make_advice(row.cells) for row in book.of("services") if "id" in row.cells},
        "places": {row.cells["id"]: _make_place(row.cells, phone) for row in book.of("buildings") if "id" in row.cells},
    }


def _sentence(text: str, source: str = "clinic") -> dict[str, str]:
    return {"text": text, "source": source}


def _make_advice(cells: Mapping[str, Any]) -> dict[str, Any]:
    advice: dict[str, Any] = {}
    if "arrive_minutes" in cells:
        advice["arrive"] = {"minutes": cells["arrive_minutes"], "source": "clinic"}
    if "companion" in cells:
        advice["companion"] = _sentence(cells["companion"])
    for column, name in (("bring", "bring"), ("before", "hold")):
        if column in cells:
            advice[name] = [_sentence(text) for text in cells[column]]
    return advice


def _make_place(cells: Mapping[str, Any], phone: str | None) -> dict[str, Any]:
    told = {name: cells.get(name) for name in ("within", "access")} | {"phone": cells.get("phone", phone)}
    return {name: _sentence(text) for name, text in told.items() if text}
