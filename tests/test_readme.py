"""The project's first page: short, its links lead somewhere, and its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_LINES = 150


def test_the_first_page_is_read_in_minutes() -> None:
    assert len(PAGE.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", PAGE))))
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_its_python_plans_a_clinic(capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(lines.replace("seconds=5", "seconds=2"), "README.md", "exec"), {})
    assert re.match(r"(optimal|feasible): costs \d+, and no plan costs less than \d+\n", capsys.readouterr().out)
