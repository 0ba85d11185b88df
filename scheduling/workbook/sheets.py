"""The sheets of a clinic's workbook and their columns, as ``sheets.toml`` describes them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field

from scheduling.fields import Model

Kind = Literal["text", "texts", "id", "ids", "team", "whole", "yes", "date", "stamp", "clock", "month", "days", "level"]
LISTS: tuple[Kind, ...] = ("texts", "ids", "team", "days")
"""Kinds of cells that hold several things."""


class Column(Model):
    """What the cells of a column hold, and where that goes in a scenario."""

    key: str = Field(description="its heading")
    kind: Kind = Field(description="what a cell holds")
    note: str = Field(description="what it means, for people")
    required: bool = Field(False, description="whether every row has it")
    path: str | None = Field(None, description="where it goes in the row's entry; null: its own name")
    of: str | None = Field(None, description="the sheet whose entries it names")
    among: tuple[str, ...] = Field((), description="columns whose words it should be one of, as sheet.column")
    choices: tuple[str, ...] = Field((), description="all that a cell may hold")
    nullable: bool = Field(False, description="whether a blank cell of a place that is given is null")
    through: bool = Field(False, description="whether a date alone means its end")
    beside: bool = Field(False, description="whether it is no part of a scenario")
    example: Any = Field(None, description="what the example row of a new workbook holds")

    @property
    def place(self) -> str:
        """The path in the row's entry."""
        return self.path or self.key


class Sheet(Model):
    """A sheet of the workbook."""

    key: str = Field(description="its title")
    note: str = Field(description="what it is for, in a sentence")
    columns: tuple[Column, ...] = Field(description="its columns, in order")

    @cached_property
    def by_key(self) -> Mapping[str, Column]:
        """Columns by heading."""
        return {column.key: column for column in self.columns}

    @cached_property
    def by_place(self) -> Mapping[str, Column]:
        """Columns by where they go in an entry."""
        return {column.place: column for column in self.columns}

    @property
    def identity(self) -> Column:
        """The column by which other sheets name an entry."""
        return self.columns[0]


class _SheetsFile(Model):
    sheets: tuple[Sheet, ...]


@cache
def load_sheets() -> Mapping[str, Sheet]:
    """Return every sheet by its title, in the workbook's order."""
    document = tomllib.loads(files(__name__.rpartition(".")[0]).joinpath("sheets.toml").read_text(encoding="utf-8"))
    return {sheet.key: sheet for sheet in _SheetsFile.model_validate(json.loads(json.dumps(document, default=str))).sheets}
