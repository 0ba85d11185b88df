"""What the table of a security officer's questions names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parents[1] / "api" / "access" / "README.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 2][2:]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(\w+/[\w/]*(?:\.py)?)`", row[2])})


def test_each_question_names_a_test_or_is_the_operators() -> None:
    assert len(NAMED) > 20
    unshown = [row[0].strip("| ") for row in ROWS if not re.search(r"`\w+/", row[2])]
    assert unshown == ["(a)(2)(iv), encryption", "(e), transmission"]


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_is_there(name: str) -> None:
    place = TESTS / name
    files = [place] if place.is_file() else sorted(place.glob("test_*.py"))
    assert any(re.search(r"^(?:async )?def test_", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)
