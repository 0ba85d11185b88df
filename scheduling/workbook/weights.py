"""What matters how much, in words: a weight is low, normal or high, or a number of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scheduling.errors import Fault
from scheduling.scenario import Policy, PriorityWeights
from scheduling.workbook.book import Row, place
from scheduling.workbook.cells import LEVELS, suggest

SHEET = "weights"
PRIORITIES = tuple(PriorityWeights.model_fields)
NUMBERS = ("deadline_factor", "max_notified_moves", "notice_minutes")
"""Keys of the policy that are no weights: only a number says something of them."""

USUAL = {"patient_site_change": 10, "waiting": 1, "moved_notified_per_hour": 2}
"""Points that are normal for a weight that is 0 unless a clinic asks for it."""

FACTORS = dict(zip(LEVELS, (0.5, 1, 2), strict=True))
"""What a level multiplies the normal points by."""


def read_policy(rows: Sequence[Row]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the policy that the sheet of weights asks for, as a scenario file has it, and the sheet's faults."""
    policy, faults = dict[str, Any](), list[Fault]()
    for row in rows:
        name = row.cells.get("weight")
        if name is None:
            continue
        if name not in Policy.model_fields:
            faults.append(
                Fault(place(SHEET, row.number, "weight"), f'unknown weight "{name}"{suggest(name, Policy.model_fields)}')
            )
        elif message := _find_mismatch(name, row):
            faults.append(Fault(place(SHEET, row.number, "level"), message))
        elif row.cells.keys() > {"weight"}:
            policy[name] = _read_weight(name, row)
    return policy, faults


def _find_mismatch(name: str, row: Row) -> str | None:
    level, by_priority = row.cells.get("level"), isinstance(Policy.model_fields[name].default, PriorityWeights)
    if by_priority and isinstance(level, int):
        return "differs by priority: write low, normal or high, or a number for each priority beside it"
    if not by_priority and not row.cells.keys().isdisjoint(PRIORITIES):
        return "does not differ by priority: write one number here"
    if name in NUMBERS and level in ("low", "high"):
        return "is no weight: write a number, or normal"
    return None


def _read_weight(name: str, row: Row) -> Any:
    level, default = row.cells.get("level", "normal"), Policy.model_fields[name].default
    if isinstance(default, PriorityWeights):
        usual = {priority: _scale(default.of(priority), level) for priority in default.model_dump()}  # type: ignore[arg-type]
        return {priority: row.cells.get(priority, points) for priority, points in usual.items()}
    if not isinstance(level, str):
        return level
    return default if name in NUMBERS else _scale(USUAL.get(name, default), level)


def _scale(points: int, level: str) -> int:
    return max(1, round(points * FACTORS[level]))


def list_weights(policy: Policy) -> Iterator[Row]:
    """Yield the rows that say what a policy does, in numbers."""
    for number, name in enumerate(Policy.model_fields, 2):
        value = getattr(policy, name)
        points = value.model_dump() if isinstance(value, PriorityWeights) else {"level": value}
        yield Row(number, {"weight": name, **{key: point for key, point in points.items() if point is not None}})


def list_normal_weights() -> Iterator[Row]:
    """Yield the rows of a new workbook: every weight, those that are 0 unless asked for without a level."""
    for number, name in enumerate(Policy.model_fields, 2):
        yield Row(number, {"weight": name, **({} if name in USUAL else {"level": "normal"})})
