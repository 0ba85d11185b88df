"""Files that commands take: a scenario may be JSON, or a clinic's workbook as XLSX or TOML."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from api.cli.console import say
from api.spreadsheets.clinic_workbook import is_workbook_file, read_workbook_scenario
from scheduling import catalogue
from scheduling.catalogue.sources import VARIABLE, get_name
from scheduling.clinic import Clinic
from scheduling.errors import Fault, InvalidFile
from scheduling.files import read_json
from scheduling.scenario import Scenario


def read_scenario(file: Path) -> Scenario:
    """Return the scenario of a file; of a workbook, what is in doubt is said beside the results.

    Raises
    ------
    InvalidFile
        With every fault of the file; of a workbook, each by its sheet, row and column.
    """
    scenario, doubts = read_with_doubts(file)
    for doubt in doubts:
        say(f"Note: {file}: {doubt}.")
    return scenario


def read_with_doubts(file: Path) -> tuple[Scenario, list[Fault]]:
    """Return the scenario of a file, and what of a workbook was probably not meant. Raises ``InvalidFile``."""
    return read_workbook_scenario(file) if is_workbook_file(file) else (Scenario.read(file), [])


def read_scenario_text(file: Path, until: date | None = None) -> str:
    """Return a scenario's JSON for what judges it itself: that of a file as it is, or that which a workbook says.

    ``until`` is another last day than a workbook's. Raises ``InvalidFile``.
    """
    if is_workbook_file(file):
        return read_workbook_scenario(file, until)[0].model_dump_json(exclude_unset=True)
    if until is not None:
        raise InvalidFile(str(file), [Fault("", "is no workbook: it has the dates that it has")])
    return read_json(file).decode(errors="replace")


MOST_NAMED = 3
"""How many ids a note names."""


def note_unknown_to_catalogue(clinic: Clinic) -> None:
    """Say beside the results of which buildings and services the catalogue in force, which speaks to patients, knows nothing.

    Raises
    ------
    InvalidFile
        When the catalogue cannot be read.
    """
    known = set(_list_told(catalogue.build_clinic()))
    unknown = [name for name in _list_told(clinic) if name not in known]
    if not unknown:
        return
    rest = len(unknown) - MOST_NAMED
    named = ", ".join(unknown[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    say(f"Note: patients are told what the catalogue {get_name()} says, and it does not know {named}.")
    say(f"Let the clinic's own workbook be the catalogue: export {VARIABLE}=clinic.xlsx")


def _list_told(clinic: Clinic) -> list[str]:
    """Return the ids of what patients are told about: services and buildings."""
    return [service.id for service in clinic.services] + [location.id for location in clinic.locations]
