"""The base model and the field types that scenario and plan files are made of.

Stamps are wall-clock times in the clinic's zone, so they carry no offset and stay naive in the models;
:mod:`scheduling.timegrid` makes aware datetimes and grid slots of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

D = TypeVar("D", bound=date)

STAMP_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$"
DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
CLOCK_PATTERN = r"^\d{2}:\d{2}$"
MONTH_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"

_STAMP, _DATE, _CLOCK = (re.compile(pattern, re.ASCII) for pattern in (STAMP_PATTERN, DATE_PATTERN, CLOCK_PATTERN))


class Model(BaseModel):
    """A frozen record of a file: exactly its keys, exactly their types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True, hide_input_in_errors=True)

    def __init__(self, /, **fields: Any) -> None:
        """Validate fields; a list is taken where a tuple is meant. Raises ``ValidationError``."""
        super().__init__(**{name: _freeze(value) for name, value in fields.items()})

    # Tells pydantic that validation need not go through this method, as its own RootModel does.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Validate a dict or an instance; a list is taken where a tuple is meant. Raises ``ValidationError``."""
        return super().model_validate(_freeze(obj), **options)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced; all of it is validated, and nothing derived is carried over.

        Raises
        ------
        ValidationError
            When a new value is not one that a file may hold.
        """
        source = deepcopy(self) if deep else self
        fields = {name: getattr(source, name) for name in source.model_fields_set}
        return self.model_validate({**fields, **(update or {})}, by_name=True, by_alias=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a deep copy of the fields alone: what is derived from them may not be copyable."""
        fields = {name: deepcopy(getattr(self, name), memo) for name in type(self).model_fields}
        return cast("Self", type(self).model_construct(self.model_fields_set, **fields))

    def changed(self, **updates: Any) -> Self:
        """Return a copy with some fields replaced by values that are known to be sound: nothing is validated.

        Nothing derived from the old fields is carried over. Fields that were not given stay so, and are not written.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return cast("Self", type(self).model_construct(self.model_fields_set | updates.keys(), **{**fields, **updates}))

    def with_defaults(self, **defaults: Any) -> Self:
        """Return the record with these values, known to be sound, for the fields among them that it was not given."""
        absent = {name: value for name, value in defaults.items() if name not in self.model_fields_set}
        return self.changed(**absent) if absent else self


def _freeze(value: Any) -> Any:
    """Return plain values with tuples in place of lists, at any depth; models stay as they are."""
    if isinstance(value, list | tuple):
        return tuple(_freeze(element) for element in value)
    if isinstance(value, dict):
        return {key: _freeze(element) for key, element in value.items()}
    return value


def _parse(value: object, kind: type, pattern: re.Pattern[str], parse: Any, example: str) -> Any:
    if type(value) is kind:
        return value
    if isinstance(value, str) and pattern.match(value):
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f'"{value}": {error}') from None
    shown = f'"{value[:40]}"' if isinstance(value, str) else type(value).__name__
    raise ValueError(f"expected {example}, got {shown}")


def within_years(day: D) -> D:
    """Refuse what durations added to it, or taken away, could carry beyond the calendar."""
    if not 1900 <= day.year < 9000:
        raise ValueError(f"the year {day.year} is out of range")
    return day


def _stamp(value: object) -> datetime:
    stamp: datetime = _parse(value, datetime, _STAMP, datetime.fromisoformat, 'a stamp like "2026-11-30T09:00"')
    return within_years(stamp)


def _date(value: object) -> date:
    day: date = _parse(value, date, _DATE, date.fromisoformat, 'a date like "2026-11-30"')
    return within_years(day)


def _clock(value: object) -> time:
    clock: time = _parse(value, time, _CLOCK, time.fromisoformat, 'a clock time like "09:00"')
    return clock


def format_stamp(stamp: datetime) -> str:
    """Write a wall-clock time as the files do: ``2026-11-30T09:00``."""
    return stamp.isoformat(timespec="minutes")


Stamp = Annotated[
    datetime,
    PlainValidator(_stamp),
    PlainSerializer(format_stamp, return_type=str),
    WithJsonSchema({"type": "string", "pattern": STAMP_PATTERN, "description": "wall-clock time in the clinic's zone"}),
]
Date = Annotated[
    date,
    PlainValidator(_date),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DATE_PATTERN}),
]
Clock = Annotated[
    time,
    PlainValidator(_clock),
    PlainSerializer(lambda clock: clock.isoformat(timespec="minutes"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": CLOCK_PATTERN}),
]
Month = Annotated[str, StringConstraints(pattern=MONTH_PATTERN)]

Id = Annotated[str, Field(min_length=1)]
VisitMinutes = Annotated[int, Field(ge=1, le=1440)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]
Minutes = Annotated[int, Field(ge=0, le=100_000, description="whole minutes")]
Weight = Annotated[int, Field(ge=0, le=1_000_000, description="points of cost")]

Priority = Literal["routine", "soon", "urgent", "cancer"]
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
Half = Literal["morning", "afternoon"]
ItemKind = Literal["visit", "group", "hold"]

ONE_DAY = timedelta(days=1)


class Interval(Model):
    """A stretch of wall-clock time, ``[start, end)``."""

    start: Stamp = Field(description="first moment of it, wall-clock time in the clinic's zone")
    end: Stamp = Field(description="first moment after it, wall-clock time in the clinic's zone")


class Horizon(Model):
    """The planned dates, ``[start, end)``."""

    start: Date = Field(description="first planned date")
    end: Date = Field(description="first date after the planned ones")
