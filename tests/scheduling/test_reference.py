"""The reference of a file: each record once, each key with its type, what holds when it is absent, and its meaning."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from scheduling.fields import Date, Id, Positive, Priority, Stamp
from scheduling.plan import Plan
from scheduling.reference import write_reference
from scheduling.scenario import Scenario


class Part(BaseModel):
    """A part. The rest is for programmers."""

    number: Positive = Field(1, description="how many")


class Whole(BaseModel):
    """A whole of ``parts``, made up."""

    id: Id = Field(description="its name")
    when: Stamp | None = Field(None, description="the moment; null: never")
    day: Date = Field(default_factory=lambda: None, description="a day; absent: today")
    parts: tuple[Part, ...] = Field((), description="its parts")
    main: Part = Field(Part(), description="the main one")
    pair: tuple[Id, Id] = Field(description="two names")
    priority: Priority = Field("routine", description="how pressing")
    is_open: bool = Field(description="whether anybody may look")


def test_each_record_has_a_table_and_each_key_a_row() -> None:
    assert write_reference(Whole) == (
        "**Whole**: A whole of `parts`, made up.\n"
        "\n"
        "| key | type | when absent | meaning |\n"
        "| --- | --- | --- | --- |\n"
        "| `id` | id | needed | its name |\n"
        "| `when` | stamp or null | `null` | the moment; null: never |\n"
        "| `day` | date | today | a day |\n"
        "| `parts` | list of Part | `[]` | its parts |\n"
        "| `main` | Part | `{}` | the main one |\n"
        "| `pair` | list of id, id | needed | two names |\n"
        '| `priority` | `routine`, `soon`, `urgent`, `cancer` | `"routine"` | how pressing |\n'
        "| `is_open` | true or false | needed | whether anybody may look |\n"
        "\n"
        "**Part**: A part.\n"
        "\n"
        "| key | type | when absent | meaning |\n"
        "| --- | --- | --- | --- |\n"
        "| `number` | whole number, 1 to 1,000,000 | `1` | how many |\n"
    )


@pytest.mark.parametrize("model", [Scenario, Plan])
def test_every_key_that_may_be_absent_says_what_holds_then(model: type[BaseModel]) -> None:
    rows = [line.split(" | ") for line in write_reference(model).splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [row for row in rows if not row[2].strip()] == []
