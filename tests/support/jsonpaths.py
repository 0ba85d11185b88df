"""Places in a JSON value, written as faults write them: ``visits[12].service``."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

DELETED = object()
"""Put in a place, it takes the key or the element away."""

STRANGERS: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 1.5, 10**30, float("nan"), "", "x", "ana", "v1", "wang", "\x00", "2026-12-02", "0001-01-01"),
    *("2026-12-02T09:00", "9999-12-31T23:59", "09:00", "24:00", "2026-13", [], {}, [None], {"id": "v1"}, [[]]),
)
"""Values that some place takes, and most do not."""


def steps(path: str) -> list[str | int]:
    """Split a place into its keys and indices."""
    return [int(index) if index else key for key, index in re.findall(r"([\w-]+)|\[(\d+)\]", path)]


def put(value: Any, path: str, new: Any) -> None:
    """Put a new value in a place of a JSON value; ``[n]`` one beyond the end of a list appends."""
    *way, last = steps(path)
    for step in way:
        value = value[step]
    if new is DELETED:
        del value[last]
    elif isinstance(last, int) and last == len(value):
        value.append(new)
    else:
        value[last] = new


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield every place of a JSON value but the whole."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, element in inside:
        yield (*path, step)
        yield from places(element, (*path, step))


def at_place(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return what stands in a place."""
    for step in path:
        value = value[step]
    return value


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """Draw a JSON value with one to three places deleted, doubled, or taken by something strange or from elsewhere."""
    mutated = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        everywhere = list(places(mutated))
        *way, last = draw(st.sampled_from(everywhere))
        owner = at_place(mutated, tuple(way))
        action = draw(st.sampled_from(("delete", "double", "strange", "move", "rename")))
        if action == "delete":
            del owner[last]
        elif action == "double" and isinstance(owner, list):
            owner.append(copy.deepcopy(owner[last]))
        elif action == "rename" and isinstance(owner, dict):
            owner["unknown"] = owner.pop(last)
        elif action == "move":
            owner[last] = copy.deepcopy(at_place(mutated, draw(st.sampled_from(everywhere))))
        else:
            owner[last] = copy.deepcopy(draw(st.sampled_from(STRANGERS)))
    return mutated
