"""What the clinic offers, as it is in force: the catalogue with the clinic's own values."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from api.cli.console import print_json, show
from api.cli.options import AsJson
from api.reports.summary import table
from scheduling import catalogue
from scheduling.catalogue.entries import CatalogueService
from scheduling.instructions import load_instructions


def show_catalogue(as_json: AsJson = False) -> None:
    """Show every service by family, with where its figures are from, and what its patients are told (--json: all of it).

    The environment variable CLINICWEAVE_CATALOGUE names it: a clinic's workbook, a folder of files of one's own, one that
    ships (pain-centre, two-rooms), or a file of single values that differ from the pain centre's.
    """
    if as_json:
        print_json(_document())
    else:
        show(*(_family(name) for name in catalogue.list_families()), _pathways())


def _offers(family: str) -> list[CatalogueService]:
    return [catalogue.get_service(one.id) for one in catalogue.list_services() if catalogue.get_family(one.id) == family]


def _document() -> dict[str, Any]:
    told = load_instructions()
    return {
        "families": {
            name: [
                {**one.model_dump(mode="json"), "patients_are_told": told.get_guidance(one).model_dump(mode="json")}
                for one in _offers(name)
            ]
            for name in catalogue.list_families()
        },
        "pathways": [one.model_dump(mode="json") for one in catalogue.list_pathways()],
        "limits": catalogue.get_limits().model_dump(mode="json"),
        "held": [one.model_dump(mode="json") for one in catalogue.list_reserve_rules()],
        "policy": catalogue.get_policy().model_dump(mode="json"),
    }


def _family(name: str) -> Table:
    heads = (">min", ">turnover", ">recovery", ">attention", "team", "room", "equipment", "at", "source")
    made = table(name, "service", *heads)
    for one in _offers(name):
        room = "none" if one.room is None else " + ".join((one.room.kind, *one.room.features))
        made.add_row(
            one.id,
            str(one.minutes),
            str(one.turnover),
            str(one.recovery),
            str(one.attention),
            ", ".join("/".join(seat.any_of) for seat in one.team),
            room,
            ", ".join(one.equipment),
            ", ".join(one.locations),
            one.source,
        )
    return made


def _pathways() -> Table:
    made = table("pathways", "pathway", "visits", "source")
    for one in catalogue.list_pathways():
        visits = ", ".join(f"{step.id} x {step.times}" if step.times > 1 else step.id for step in one.steps)
        made.add_row(one.id, visits, one.source)
    return made
