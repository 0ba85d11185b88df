"""Where the catalogue is from: one that ships, a folder, a clinic's workbook, or the pain centre's with changes.

The environment variable :data:`VARIABLE` names it. Unset, it is the pain centre's.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from scheduling.catalogue.own import INSTRUCTIONS, find_unknown_sections, override
from scheduling.errors import Fault, InvalidFile
from scheduling.workbook import Reading, read_book
from scheduling.workbook.documents import make_documents
from scheduling.workbook.toml_file import is_workbook, parse_rows
from scheduling.workbook_readers import WORKBOOK_READERS

VARIABLE = "CLINICWEAVE_CATALOGUE"
"""The environment variable that names it: a file, a folder, or one that ships."""

PAIN_CENTRE, TWO_ROOMS = "pain-centre", "two-rooms"
SHIPPED = (PAIN_CENTRE, TWO_ROOMS)

CLINIC, SERVICES, PATHWAYS, KINDS, TOLD = "clinic.toml", "services.toml", "pathways.toml", "kinds.toml", "instructions.toml"
NAMES = (CLINIC, SERVICES, PATHWAYS, KINDS, TOLD)
"""The files of a whole catalogue."""


SPREADSHEETS = (".xlsx",)


class CatalogueSource(NamedTuple):
    """The files of a catalogue as plain values, and what to call them in errors."""

    documents: Mapping[str, dict[str, Any]]
    origin: str
    is_workbook: bool = False


def get_name() -> str:
    """Return what names the catalogue: a path, or one of ``SHIPPED``."""
    return os.environ.get(VARIABLE) or PAIN_CENTRE


def find_shipped_workbook(name: str) -> Path | None:
    """Return the workbook of a clinic that ships as one; None: there is none of that name."""
    file = Path(str(files(__package__).joinpath(f"{name}.toml")))
    return file if name in SHIPPED and file.is_file() else None


@cache
def read_source() -> CatalogueSource:
    """Return the files of the catalogue that is in force. Raises ``InvalidFile`` when one cannot be read."""
    name = get_name()
    path = find_shipped_workbook(name) or Path(name)
    if name == PAIN_CENTRE:
        return CatalogueSource(_read_folder(files(__package__)), name)
    if path.is_dir():
        return CatalogueSource(_read_folder(path), name)
    if path.suffix.lower() in SPREADSHEETS:
        return CatalogueSource(_read_spreadsheet(path), str(path), True)
    document = _read_toml(path, str(path))
    if is_workbook(document):
        return CatalogueSource(_make_whole(read_book(parse_rows(path.read_bytes(), str(path))), str(path)), str(path), True)
    return CatalogueSource(_read_changes(document, str(path)), str(path))


def _read_folder(folder: Traversable) -> dict[str, dict[str, Any]]:
    return {name: _read_toml(folder.joinpath(name), f"{folder}/{name}") for name in NAMES}


def _read_toml(file: Traversable, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidFile(source, [Fault("", str(error))]) from None


def _read_spreadsheet(file: Path) -> dict[str, dict[str, Any]]:
    read = WORKBOOK_READERS.get(file.suffix.lower())
    if read is None:
        raise InvalidFile(str(file), [Fault("", "nothing here reads spreadsheets; clinicweave convert makes TOML of it")])
    return _make_whole(read(file), str(file))


def _make_whole(reading: Reading, source: str) -> dict[str, dict[str, Any]]:
    """Return a workbook's files. Raises ``InvalidFile`` with every fault of its cells."""
    documents, faults = make_documents(reading.book, source)
    if reading.faults or faults:
        raise InvalidFile(source, [*reading.faults, *faults])
    return documents


def _read_changes(own: Mapping[str, Any], source: str) -> dict[str, dict[str, Any]]:
    """Return the pain centre's files with a clinic's own values in them."""
    shipped = _read_folder(files(__package__))
    sections = {section for name, document in shipped.items() if name != TOLD for section in document}
    if faults := list(find_unknown_sections(own, {*sections, INSTRUCTIONS})):
        raise InvalidFile(source, faults)
    changed = {name: override(document, own, source) for name, document in shipped.items() if name != TOLD}
    return {**changed, TOLD: override({INSTRUCTIONS: shipped[TOLD]}, own, source)[INSTRUCTIONS]}
