"""The JSON Schema of the files: every field has a description with its unit, and every default is one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from scheduling.plan import Plan
from scheduling.scenario import Scenario

FILES: tuple[type[BaseModel], ...] = (Scenario, Plan)

UNITS = re.compile(r"\b(minutes|points|days|how many|most attendees|fewest attendees|a number|load|multiplied)\b")
"""What the description of a number says of it."""

FILLED = {
    *("Service.locations", "Shift.locations", "Patient.allowed_sites", "Patient.name", "Provider.name", "Provider.role"),
    "Visit.earliest",
}
"""Keys whose default depends on other keys, so that their description says it."""


def properties(model: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield every property of a file by its owner and name, and whether it is required."""
    schema = model.model_json_schema(by_alias=True)
    for name, owner in [(schema["title"], schema), *schema["$defs"].items()]:
        for key, value in owner.get("properties", {}).items():
            yield f"{name}.{key}", value, key in owner.get("required", ())


ALL = [entry for model in FILES for entry in properties(model)]


def is_number(value: dict[str, Any]) -> bool:
    return value.get("type") == "integer" or any(is_number(option) for option in value.get("anyOf", ()))


def test_every_field_has_a_description() -> None:
    assert len(ALL) > 120
    assert [path for path, value, _ in ALL if not value.get("description", "").strip()] == []


def test_every_number_says_its_unit() -> None:
    numbers = [(path, value["description"]) for path, value, _ in ALL if is_number(value)]
    assert len(numbers) > 40
    assert [path for path, description in numbers if not UNITS.search(description)] == []


def test_every_key_that_may_be_absent_says_what_is_meant_then() -> None:
    silent = {path for path, value, required in ALL if not required and "default" not in value}
    assert silent == FILLED
    assert all("absent: " in value["description"] for path, value, _ in ALL if path in FILLED)


def find_model(name: str, inside: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a schema's name."""
    known, waiting = {inside.__name__: inside}, [inside]
    while waiting:
        for field in waiting.pop().model_fields.values():
            for kind in kinds_of(field.annotation):
                if kind.__name__ not in known:
                    known[kind.__name__] = kind
                    waiting.append(kind)
    return known[name]


def kinds_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inside in getattr(annotation, "__args__", ()):
        yield from kinds_of(inside)


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.__name__)
def test_every_default_is_what_the_file_would_hold(model: type[BaseModel]) -> None:
    for path, value, _ in properties(model):
        if "default" in value:
            owner, key = path.split(".")
            kind = find_model(owner, model)
            name = next(name for name, field in kind.model_fields.items() if (field.alias or name) == key)
            field = kind.model_fields[name]
            given = kind.model_construct(**{name: field.get_default(call_default_factory=True)})
            written = json.loads(given.model_dump_json(include={name}, by_alias=True, warnings=False))
            assert written == {key: value["default"]}, path
