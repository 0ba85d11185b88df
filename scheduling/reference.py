"""The reference of a file: its JSON Schema as tables in Markdown, one for each record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import BaseModel

from scheduling.fields import CLOCK_PATTERN, DATE_PATTERN, MONTH_PATTERN, STAMP_PATTERN

Schema = Mapping[str, Any]

TEXTS = {STAMP_PATTERN: "stamp", DATE_PATTERN: "date", CLOCK_PATTERN: "clock time", MONTH_PATTERN: "month"}
"""What a text is called, by the pattern that it has."""

ABSENT = "; absent: "
"""What comes before the meaning of an absent key in its description, where that is no value of the key's own."""

HEADING = ("| key | type | when absent | meaning |", "| --- | --- | --- | --- |")


def write_reference(model: type[BaseModel]) -> str:
    """Return the tables of a file's records: every key with its type, what holds when it is absent, and its meaning."""
    schema = model.model_json_schema(by_alias=True)
    records = {schema["title"]: schema, **schema.get("$defs", {})}
    tables = (_write_table(name, records) for name in _list_records(schema["title"], records))
    return "\n\n".join("\n".join(table) for table in tables) + "\n"


def _list_records(first: str, records: Mapping[str, Schema]) -> list[str]:
    """Return the names of records, each after the one that first speaks of it."""
    names = [first]
    for name in names:  # grows while it is read
        properties = records[name]["properties"].values()
        names += dict.fromkeys(inner for value in properties for inner in _list_references(value) if inner not in names)
    return names


def _list_references(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        yield value["$ref"].rpartition("/")[2]
    inside = chain(value.get("anyOf", ()), value.get("prefixItems", ()), filter(None, [value.get("items")]))
    for part in inside:
        yield from _list_references(part)


def _write_table(name: str, records: Mapping[str, Schema]) -> Iterator[str]:
    record = records[name]
    sentence = record["description"].partition("\n\n")[0].partition(". ")[0].rstrip(".")
    yield from (f"**{name}**: {' '.join(sentence.replace('``', '`').split())}.", "", *HEADING)
    for key, value in record["properties"].items():
        meaning, _, absent = value["description"].partition(ABSENT)
        if key in record.get("required", ()):
            absent = "needed"
        elif "default" in value:
            absent = _show_default(value, records)
        yield f"| `{key}` | {_name_type(value)} | {absent} | {meaning} |"


def _show_default(value: Schema, records: Mapping[str, Schema]) -> str:
    (record, *_) = (*_list_references(value), "")
    if isinstance(value["default"], dict) and not records[record].get("required"):
        return "`{}`"
    return f"`{json.dumps(value['default'])}`"


def _name_type(value: Schema) -> str:
    """Return what a value is, in words."""
    options = value.get("enum") or ([value["const"]] if "const" in value else [])
    if options:
        return ", ".join(f"`{option}`" for option in options)
    if "anyOf" in value:
        return " or ".join(_name_type(option) for option in value["anyOf"])
    if "$ref" in value:
        return str(value["$ref"].rpartition("/")[2])
    match value.get("type"):
        case "array" if "prefixItems" in value:
            return f"list of {', '.join(_name_type(part) for part in value['prefixItems'])}"
        case "array":
            return f"list of {_name_type(value['items'])}"
        case "integer" if "maximum" in value:
            return f"whole number, {value['minimum']:,} to {value['maximum']:,}"
        case "integer":
            return "whole number"
        case "boolean":
            return "true or false"
        case "string":
            return TEXTS.get(value.get("pattern", ""), "id" if value.get("minLength") else "text")
    return str(value.get("type"))
