"""The spreadsheet of referrals: its columns, what its rows ask for, and the template that shows how to fill it in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.services.intake.kinds import list_kinds
from api.services.intake.request_forms import LocatedRequest, Request
from api.spreadsheets import Record, read_table
from scheduling import catalogue
from scheduling.errors import Fault
from scheduling.files import write_bytes
from scheduling.references import make_fault

COLUMNS: Mapping[str, str] = {  # each a field of api.services.intake.request_forms.Request
    "kind": "what is asked for: one of those of the sheet 'kinds'",
    "patient": "the clinic's id of the patient",
    "name": "the patient's name; needed for a new patient, else it may be left out",
    "birth_date": "the patient's date of birth, as a date cell or like 1961-04-12",
    "another_patient": "yes, when the id differs from a known one by case alone and is really another patient's",
    "preferred_site": "where a new patient would like to come",
    "allowed_sites": "where a new patient can come, one after the other; left out: everywhere",
    "prefers": "when a new patient would like to come: morning or afternoon",
    "priority": "routine, soon, urgent or cancer, when it is not the usual one of the kind",
    "referred_on": "the day of the referral, as a date cell or like 2026-12-01; left out: today",
    "preferred_providers": "ids of those whom the patient would like to see, one after the other",
    "referrer": "who asks from outside the clinic; needed for opioid-consultation",
    "low_reservoir": "the day on which the pump will be low; needed for pump-refill",
    "programme": "the group; needed for group",
    "department": "the other department; needed for referral-out",
    "minutes": "the length of the first visit, when it is not the usual one",
    "equipment": "pools of which the visits need one more, such as an interpreter, one after the other",
    "note": "for the desk alone",
    "tags": "by which lists and figures are filtered, such as a study, one after the other",
}
"""The columns, in the template's order, and what each holds. They may stand in any order, and those not used may be missing."""

LISTS = ("allowed_sites", "preferred_providers", "equipment", "tags")
NUMBERS = ("minutes",)
DATES = ("birth_date", "referred_on", "low_reservoir")
YES_OR_NO = ("another_patient",)
ANSWERS = {"yes": True, "no": False}

EXAMPLE = "example-"
"""What the template's patients begin with: such a row is refused, so that nobody takes in the examples."""


@dataclass(frozen=True, slots=True)
class ReferralSheet:
    """What a file of referrals holds: its requests by row, what is wrong with rows, and what should be known of the reading."""

    requests: tuple[LocatedRequest, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def read_sheet(content: bytes, source: str) -> ReferralSheet:
    """Read a CSV or XLSX file of referrals. Raises ``InvalidFile`` when it is no such file at all."""
    table = read_table(content, source, tuple(COLUMNS))
    unreadable = {fault.path for fault in table.faults}
    requests: list[LocatedRequest] = []
    faults = list(table.faults)
    for record in table.records:
        values, wrong = _values(record)
        if not wrong and not any(record.place(column) in unreadable for column in COLUMNS):
            try:
                requests.append(LocatedRequest(record.place(""), Request.model_validate(values)))
            except ValidationError as error:
                details = error.errors(include_url=False, include_input=False)
                wrong = [Fault(record.place(fault.path), fault.message) for fault in map(make_fault, details)]
        faults += wrong
    return ReferralSheet(tuple(requests), tuple(faults), table.notes)


def in_row_order(faults: Iterable[Fault]) -> list[Fault]:
    """Return faults as their rows follow one another."""

    def row(fault: Fault) -> int:
        match = re.match(r"row (\d+)", fault.path)
        return int(match[1]) if match else 0

    return sorted(faults, key=row)


def _values(record: Record) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for column, value in record.values.items():
        if isinstance(value, date):
            if column in DATES:
                values[column] = value
            else:
                faults.append(Fault(record.place(column), f"is the date {value}; write text"))
        elif column in NUMBERS:
            if not re.fullmatch(r"[0-9]{1,5}", value.strip(), re.ASCII):
                faults.append(Fault(record.place(column), "must be a whole number of minutes"))
            else:
                values[column] = int(value)
        elif column in YES_OR_NO:
            if (answer := ANSWERS.get(value.strip().lower())) is None:
                faults.append(Fault(record.place(column), "must be yes or no"))
            else:
                values[column] = answer
        elif column in LISTS:
            values[column] = tuple(re.split(r"[\s,;]+", value.strip(" ,;")))
        else:
            values[column] = value
    if str(values.get("patient", "")).startswith(EXAMPLE):
        faults.append(Fault(record.place("patient"), "is an example of the template; delete the row"))
    return values, faults


# ---- The template ----


def examples(today: date) -> Iterator[dict[str, Any]]:
    """Yield a row for each kind, with what it needs."""
    needed = {
        "referrer": "Dr. Example, primary care",
        "low_reservoir": today + timedelta(weeks=3),
        "programme": next((workshop.id for workshop in catalogue.list_workshops()), None),
        "department": next((department.id for department in catalogue.list_outside_departments()), None),
    }
    for number, kind in enumerate(list_kinds(), 1):
        yield {
            "kind": kind.id,
            "patient": f"{EXAMPLE}{number}",
            "name": f"Robin Example {number}",
            "preferred_site": catalogue.list_sites()[0].id,
            "referred_on": today,
            **{field: needed[field] for field in kind.needs},
        }


def write_template(file: Path, today: date) -> None:
    """Write a template, as its name ends: ``.csv``, else a workbook that explains its columns and kinds too."""
    write_bytes(file, _csv_template(today) if file.suffix.lower() == ".csv" else xlsx_template(today))


def _csv_template(today: date) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(examples(today))
    return text.getvalue().encode("utf-8-sig")  # with the mark by which Excel knows UTF-8


def xlsx_template(today: date) -> bytes:
    """Return the template as a workbook."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "referrals", tuple(COLUMNS), ([row.get(column) for column in COLUMNS] for row in examples(today)))
    _sheet(book, "columns", ("column", "holds"), COLUMNS.items())
    kinds = ((kind.id, kind.name, kind.priority, ", ".join(kind.needs)) for kind in list_kinds())
    _sheet(book, "kinds", ("kind", "asks for", "usual priority", "needs also"), kinds)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _sheet(book: Any, title: str, heading: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    from openpyxl.styles import Font

    sheet = book.create_sheet(title)
    sheet.append(list(heading))
    for row in rows:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column in sheet.columns:
        sheet.column_dimensions[column[0].column_letter].width = 2 + max(len(str(cell.value or "")) for cell in column)
    sheet.freeze_panes = "A2"
