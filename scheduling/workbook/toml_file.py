"""A workbook as one TOML file, for those who keep it under version control: a table for each row."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from scheduling.errors import Fault, InvalidFile
from scheduling.fields import format_stamp
from scheduling.workbook.book import Book, Row
from scheduling.workbook.sheets import load_sheets

FORMAT = "clinicweave-workbook/1"
FIRST_ROW = 2
"""The number of a sheet's first row below its heading, and so of the first table in TOML."""


def is_workbook(document: Mapping[str, Any]) -> bool:
    """Return whether a TOML document is a workbook."""
    return document.get("format") == FORMAT


def parse_rows(text: bytes | str, source: str) -> dict[str, list[Row]]:
    """Return the rows of a workbook in TOML, their cells unread. Raises ``InvalidFile`` when it is none."""
    try:
        document = tomllib.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidFile(source, [Fault("", str(error))]) from None
    if not is_workbook(document):
        raise InvalidFile(source, [Fault("format", f'must be "{FORMAT}"')])
    rows: dict[str, list[Row]] = {}
    for sheet, tables in document.items():
        if sheet == "format":
            continue
        tables = [tables] if isinstance(tables, dict) else tables
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise InvalidFile(source, [Fault(sheet, f"is to be tables: [[{sheet}]]")])
        rows[sheet] = [Row(number, table) for number, table in enumerate(tables, FIRST_ROW)]
    return rows


def format_book(book: Book) -> str:
    """Write a workbook as TOML."""
    lines = [f"format = {_format_value(FORMAT)}"]
    for key, sheet in load_sheets().items():
        rows: Sequence[Row] = book.of(key)
        if rows:
            lines += ["", f"# {sheet.note}"]
        for row in rows:
            lines += ["", f"[[{key}]]"]
            cells = {column.key: row.cells[column.key] for column in sheet.columns if column.key in row.cells}
            lines += [f"{name} = {_format_value(value)}" for name, value in cells.items()]
    return "\n".join(lines) + "\n"


def _format_value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _format_value(format_stamp(value))
        case date():
            return value.isoformat()
        case time():
            return value.isoformat(timespec="seconds")
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML 1.0: a basic string escapes as JSON
        case tuple() | list():
            return f"[{', '.join(_format_value(element) for element in value)}]"
    return str(value)
