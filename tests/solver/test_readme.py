"""The page of the solver: its table of parameters is that of the package, and it names every room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import solver
from scheduling.fields import Model
from solver import SolverParameters

PACKAGE = Path(solver.__file__).parent
PAGE = (PACKAGE / "README.md").read_text(encoding="utf-8")


def list_defaults(parameters: Model, prefix: str = "") -> Iterator[tuple[str, float]]:
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, Model):
            yield from list_defaults(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def test_the_table_of_parameters_says_what_the_defaults_are() -> None:
    told = re.findall(r"^\| `([a-z_.]+)` \| ([0-9.]+) \|$", PAGE, re.MULTILINE)
    assert [(name, float(value)) for name, value in told] == list(list_defaults(SolverParameters()))


def test_the_page_names_every_room() -> None:
    rooms = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert rooms == set(re.findall(r"^\| `([a-z]+)/` \|", PAGE, re.MULTILINE))
