"""A table comes out of a spreadsheet as it was typed, whatever wrote the file; what is no table is refused, and says why."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from api.spreadsheets import Table, read_table
from api.spreadsheets import table as limits
from api.spreadsheets.table import letter
from scheduling.errors import InvalidFile

COLUMNS = ("kind", "patient", "referred_on")
HEADING = ["kind", "patient", "referred_on"]

SHEET_PART = "xl/worksheets/sheet1.xml"
PEAK_BYTES = 30_000_000
"""What reading a file of some kilobytes may take at its height; a cell for every declared one takes twenty times as much."""


def read(content: bytes) -> Table:
    return read_table(content, "file", COLUMNS)


def csv_of(*rows: Sequence[str], separator: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([HEADING, *rows])
    return text.getvalue().encode(encoding)


def workbook(*rows: Sequence[Any], merge: str | None = None) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (HEADING, *rows):
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def cells(table: Table) -> list[tuple[int, dict[str, Any]]]:
    return [(record.number, dict(record.values)) for record in table.records]


def faults(table: Table) -> dict[str, str]:
    return {fault.path: fault.message for fault in table.faults}


def peak_of(act: Callable[[], object]) -> int:
    """Return the most bytes that Python held at once for something."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidFile) as refused:
        read(content)
    return str(refused.value.faults[0])


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
LATIN = st.text(st.characters(codec="cp1252", categories=("Lu", "Ll", "Nd")), min_size=1, max_size=12)


@given(
    rows=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_csv_is_read_in_any_encoding_and_with_any_separator(
    rows: list[tuple[str, str, str]], separator: str, encoding: str
) -> None:
    found = read(csv_of(*rows, separator=separator, encoding=encoding))
    assert cells(found) == [(number, dict(zip(HEADING, row, strict=True))) for number, row in enumerate(rows, 2)]
    assert (found.faults, found.notes) == ((), ())


@given(names=st.lists(LATIN, min_size=1, max_size=5))
def test_a_csv_of_windows_is_read_and_says_so_when_it_is_no_utf_8(names: list[str]) -> None:
    content = csv_of(*[("a", name, "é") for name in names], encoding="cp1252")
    found = read(content)
    assert [values["patient"] for _, values in cells(found)] == names
    assert "Windows-1252" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no row"),
        (b"\n\n ,\n", "holds no row"),
        (b"kind,patient\na,\x81\x8d\n", "line 2: is neither UTF-8 nor Windows-1252"),
        (b"\xff\xfek\x00i\x00\x00\xd8", "not in the encoding that the file begins with"),
        ("kind,patient\na,b\n".encode("utf-16-le"), "is no text of a known encoding"),
        (b'kind,patient\na,"b\n', "row 2: cannot be read"),
        (b"\xd0\xcf\x11\xe0rest", "old .xls, or has a password"),
        (b"PK\x03\x04rest", "damaged XLSX"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, says: str) -> None:
    assert says in refusal(content)


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("readme.txt", "nothing of a workbook")
    assert "is no XLSX workbook" in refusal(content.getvalue())


def test_a_workbook_whose_directory_has_any_byte_changed_is_read_or_refused() -> None:
    """An unknown version and a name that is no text are among them."""
    content = workbook(["kind", "patient"], ["a", "b"])
    first, refused = content.index(b"PK\x01\x02"), 0
    for position in range(first, len(content)):
        changed = content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]
        try:
            read(changed)
        except InvalidFile:
            refused += 1
    assert refused > 100


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    assert len(content.getvalue()) < limits.MAX_FILE_BYTES
    assert "unpacks to 60 MB" in refusal(content.getvalue())


def forged(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one of its parts changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for part in packed.infolist():
            text = packed.read(part)
            written.writestr(part.filename, change(text) if part.filename == name else text)
    return made.getvalue()


def declaring(declaration: bytes) -> bytes:
    """Return a small workbook whose sheet declares more after its cells."""
    end = b"</sheetData>"
    return forged(workbook(["a", "b", None]), SHEET_PART, lambda text: text.replace(end, end + declaration))


def test_entities_of_the_xml_are_not_expanded() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    content = forged(workbook(["a", "b", None]), "xl/workbook.xml", lambda text: entity + text.replace(b"Sheet", b"&a;Sheet"))
    assert "is no XLSX workbook" in refusal(content)


@pytest.mark.parametrize(
    ("declaration", "says"),
    [
        (b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>', "reaches to row 1,048,576 and column 16,384"),
        (b'<mergeCells><mergeCell ref="A2:CV2000"/></mergeCells>', "merges 199,900 cells"),
        (b"<mergeCells>" + b'<mergeCell ref="A2:B2"/>' * 20_000 + b"</mergeCells>", "merges 20,002 cells"),
        (b'<mergeCells><mergeCell ref="nowhere"/></mergeCells>', "is no XLSX workbook"),
    ],
)
def test_merged_areas_are_bounded_before_cells_are_made(declaration: bytes, says: str) -> None:
    assert peak_of(lambda: refusal(declaring(declaration))) < PEAK_BYTES
    assert says in refusal(declaring(declaration))


@pytest.mark.parametrize("tag", ["hyperlinks", "dimension"])
def test_nothing_is_made_of_cells_that_are_only_declared(tag: str) -> None:
    declaration = {
        "hyperlinks": b'<hyperlinks><hyperlink ref="A1:CV20000" location="Sheet!A1"/></hyperlinks>',
        "dimension": b'<dimension ref="A1:XFD1048576"/>',
    }[tag]
    content = declaring(declaration)
    assert peak_of(lambda: read(content)) < PEAK_BYTES
    assert [values for _, values in cells(read(content))] == [{"kind": "a", "patient": "b"}]


@pytest.mark.parametrize(
    ("name", "mark", "repeated", "says"),
    [
        (SHEET_PART, rb"</sheetData>", b"<row/>", "writes out more than 500,000 cells"),
        (SHEET_PART, rb"</row></sheetData>", b'<c r="A2"/>', "writes out more than 500,000 cells"),
        (SHEET_PART, rb"<pageMargins", b'<brk id="1"/>', "50,000 rules"),
        ("xl/styles.xml", rb"</cellXfs>", b"<xf/>", "of formats and drawings"),
    ],
)
def test_what_repeats_itself_is_refused_before_anything_is_made_of_it(
    name: str, mark: bytes, repeated: bytes, says: str
) -> None:
    content = forged(workbook(["a", "b", None]), name, lambda text: text.replace(mark, repeated * 600_000 + mark))
    assert len(content) < 50_000
    assert peak_of(lambda: refusal(content)) < PEAK_BYTES
    assert says in refusal(content)


def test_a_dimension_that_lies_hides_no_row() -> None:
    told = re.compile(rb'<dimension ref="[^"]*" ?/>')
    for lie in (b"A1", b"A1:XFD1048576"):
        content = forged(
            workbook(["a", "b", None], ["c", "d", None]),
            SHEET_PART,
            lambda text, lie=lie: told.sub(b'<dimension ref="' + lie + b'"/>', text, count=1),
        )
        assert [values["patient"] for _, values in cells(read(content))] == ["b", "d"]


def test_a_file_or_a_table_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS", 2)
    assert len(read(csv_of(*[("a", "b", "")] * 2)).records) == 2
    assert "row 4: a table has at most 2 rows" in refusal(csv_of(*[("a", "b", "")] * 3))
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 100)
    assert "over the limit" in refusal(b"x" * 101)


def test_a_sheet_that_only_looks_full_is_refused() -> None:
    book = Workbook()
    book.worksheets[0].append(HEADING)
    book.worksheets[0].cell(row=30_000, column=1, value="far below")
    content = io.BytesIO()
    book.save(content)
    assert "reaches to row 30,000" in refusal(content.getvalue())


def test_cells_of_a_workbook_are_text_or_dates_by_what_they_hold() -> None:
    midnight = datetime.combine(date(2026, 12, 1), time())
    found = read(workbook(["a", 12345, midnight], ["a", 7.0, date(2026, 12, 2)], ["\xa0a  b ", "007", "2026-12-03"]))
    assert [values for _, values in cells(found)] == [
        {"kind": "a", "patient": "12345", "referred_on": date(2026, 12, 1)},
        {"kind": "a", "patient": "7", "referred_on": date(2026, 12, 2)},
        {"kind": "a b", "patient": "007", "referred_on": "2026-12-03"},
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("=1+1", "holds a formula; paste its value"),
        (True, "is TRUE"),
        (1.5, "is the number 1.5"),
        (datetime.combine(date(2026, 12, 1), time(9, 30)), "has a time of day"),
        ("x" * 501, "has 501 characters"),
        ("a\u200bb", "cannot be shown"),
    ],
)
def test_a_cell_that_cannot_be_taken_is_a_fault_of_its_row_and_column(value: object, says: str) -> None:
    found = read(workbook(["a", "b", None], ["a", value, None]))
    assert list(faults(found)) == ["row 3, patient"] and says in faults(found)["row 3, patient"]
    assert len(found.records) == 2


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@sum"])
def test_a_text_that_would_be_a_formula_is_refused_in_a_csv_too(text: str) -> None:
    assert "as formulas do" in faults(read(csv_of(("a", text, ""))))["row 2, patient"]


def test_merged_cells_are_faults_all_of_them() -> None:
    found = read(workbook(["a", "b", None], ["a", "c", None], merge="B2:B3"))
    assert faults(found).keys() == {"row 2, patient", "row 3, patient"}
    assert "undo the merge" in faults(found)["row 3, patient"]


def test_headings_are_known_whatever_their_capitals_and_a_wrong_one_is_named_with_what_is_near() -> None:
    found = read(b"Kind;Referred-On;Patnt;kind\na;2026-12-01;b;c\n;;;;stray\n")
    assert cells(found)[0][1] == {"kind": "a", "referred_on": "2026-12-01"}
    assert faults(found) == {
        "row 1, column C": 'unknown column "Patnt"; did you mean "patient"?',
        "row 1, column D": '"kind" is repeated',
        "row 3, column E": "stands in a column without a heading",
    }


def test_empty_rows_are_left_out_and_the_others_keep_their_numbers() -> None:
    assert [number for number, _ in cells(read(b"sep=;\nkind;patient\n\na;b\n;\nc;d\n"))] == [4, 6]


def test_columns_are_called_as_spreadsheets_call_them() -> None:
    assert [letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_heading_longer_than_any_field_may_be_is_refused() -> None:
    with pytest.raises(InvalidFile, match="field larger than field limit"):
        read(b"k" * (csv.field_size_limit() + 1))
