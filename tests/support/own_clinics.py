"""Clinics that were made by a workbook alone, none of them a pain centre."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.spreadsheets.clinic_workbook import make_scenario, read_workbook, write_workbook
from scheduling import catalogue
from scheduling.catalogue.sources import TWO_ROOMS, find_shipped_workbook
from scheduling.scenario import Scenario
from scheduling.workbook import Book

FOLDER = Path(__file__).parent / "clinics"
_SHIPPED = find_shipped_workbook(TWO_ROOMS)
assert _SHIPPED is not None


@dataclass(frozen=True)
class OwnClinic:
    """A clinic's workbook, and what happens to it: who falls ill, who walks in for what, and whose visit is called off.

    ``kinds`` are what patients are referred for in its simulated weeks, week by week.
    """

    file: Path
    ill: str
    walk_in: str
    cancelled: str
    kinds: tuple[str, ...]
    programme: str | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let its catalogue be the one in force."""
        with catalogue.use_catalogue(self.file):
            yield

    def book(self) -> Book:
        """Return its workbook as a spreadsheet program would give it back."""
        made = read_workbook(self.file.read_bytes(), self.file.name)
        assert (made.faults, made.doubts) == ([], [])
        return read_workbook(write_workbook(made.book), "clinic.xlsx").book

    def scenario(self) -> Scenario:
        """Return its first week."""
        return make_scenario(read_workbook(write_workbook(self.book()), "clinic.xlsx"), "clinic.xlsx")


CLINICS = (
    OwnClinic(_SHIPPED, "ben", "treatment", "v-03", ("new-back-pain", "ultrasound-referral"), "back-school"),
    OwnClinic(FOLDER / "dental.toml", "hana", "check-up", "q-03", ("new-check-up", "cleaning-wanted")),
    OwnClinic(FOLDER / "infusion.toml", "noor", "infusion", "infusion-03", ("series-of-six", "blood-count")),
)
