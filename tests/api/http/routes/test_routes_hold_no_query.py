"""Routes ask services, never the store: neither by an import, which lint-imports forbids, nor by the session they pass on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROUTES = Path(__file__).parents[4] / "api" / "http" / "routes"


def find_queries(source: str) -> Iterator[str]:
    """Yield what is asked of a session in a module's source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "session":
            yield f"line {node.lineno}: session.{node.attr}"


@pytest.mark.parametrize("file", sorted(ROUTES.glob("*.py")), ids=lambda file: file.stem)
def test_a_route_only_passes_its_session_on(file: Path) -> None:
    assert list(find_queries(file.read_text())) == []


def test_a_query_in_a_route_is_found() -> None:
    assert list(find_queries("def act(session):\n    return session.get(Row, 1)\n")) == ["line 2: session.get"]
