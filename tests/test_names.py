"""A thing has one name, and a name stands for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("scheduling", "solver", "calendars", "api")

SHAPES_OF_HTTP = ROOT / "api" / "http" / "routes"
"""Models of requests and responses, which may be called what the thing itself is called."""


def modules() -> dict[str, str]:
    """Return the text of every module whose public classes have to have names of their own."""
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files if SHAPES_OF_HTTP not in file.parents}


def public_classes(text: str) -> Iterable[str]:
    """Yield the names of the public classes that a module defines."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def find_doubled(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the class names that more than one module defines, with the modules."""
    defined: dict[str, list[str]] = defaultdict(list)
    for module, text in texts.items():
        for name in public_classes(text):
            defined[name].append(module)
    return {name: places for name, places in defined.items() if len(places) > 1}


def test_no_public_class_name_is_defined_twice() -> None:
    texts = modules()
    assert sum(len(list(public_classes(text))) for text in texts.values()) > 100
    assert find_doubled(texts) == {}


def test_control_a_name_that_is_defined_twice_is_found() -> None:
    texts = {"a.py": "class Visit: ...\nclass _Own: ...", "b.py": "class Visit: ...\nclass _Own: ...", "c.py": "Visit = 1"}
    assert find_doubled(texts) == {"Visit": ["a.py", "b.py"]}
