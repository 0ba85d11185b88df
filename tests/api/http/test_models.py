"""A response is made of what a service returns."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import Field, ValidationError

from api.http.models import IsSet, Length, ResponseModel


@dataclass
class Row:
    row_id: str
    ended_at: str | None
    members: tuple[str, ...] = ("ana", "ben")


class Shown(ResponseModel):
    id: str = Field(validation_alias="row_id")
    ended: IsSet = Field(validation_alias="ended_at")
    members: Length
    secret: str


def test_attributes_become_fields_and_the_rest_is_given_beside() -> None:
    shown = Shown.of(Row("r", None), secret="s")
    assert shown.model_dump() == {"id": "r", "ended": False, "members": 2, "secret": "s"}
    assert Shown.of(Row("r", "2026-12-01"), secret="s").ended


def test_what_is_given_beside_goes_before_an_attribute() -> None:
    assert Shown.of(Row("r", None), secret="s", members="abc").members == 3


def test_what_neither_has_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="secret"):
        Shown.of(Row("r", None))
