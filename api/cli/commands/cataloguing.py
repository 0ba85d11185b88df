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
    return [
        catalogue.get_service(service.id) for service in catalogue.list_services() if catalogue.get_family(service.id) == family
    ]


def _document() -> dict[str, Any]:
    told = load_instructions()
    return {
        "families": {
            name: [
                {**service.model_dump(mode="json"), "patients_are_told": told.get_guidance(service).model_dump(mode="json")}
                for service in _offers(name)
            ]
            for name in catalogue.list_families()
        },
        "pathways": [pathway.model_dump(mode="json") for pathway in catalogue.list_pathways()],
        "limits": catalogue.get_limits().model_dump(mode="json"),
        "held": [rule.model_dump(mode="json") for rule in catalogue.list_reserve_rules()],
        "policy": catalogue.get_policy().model_dump(mode="json"),
    }


def _family(name: str) -> Table:
    heads = (">min", ">turnover", ">recovery", ">attention", "team", "room", "equipment", "at", "source")
    made = table(name, "service", *heads)
    for service in _offers(name):
        room = "none" if service.room is None else " + ".join((service.room.kind, *service.room.features))
        made.add_row(
            service.id,
            str(service.minutes),
            str(service.turnover),
            str(service.recovery),
            str(service.attention),
            ", ".join("/".join(seat.any_of) for seat in service.team),
            room,
            ", ".join(service.equipment),
            ", ".join(service.locations),
            service.source,
        )
    return made


def _pathways() -> Table:
    made = table("pathways", "pathway", "visits", "source")
    for pathway in catalogue.list_pathways():
        visits = ", ".join(f"{step.id} x {step.times}" if step.times > 1 else step.id for step in pathway.steps)
        made.add_row(pathway.id, visits, pathway.source)
    return made
