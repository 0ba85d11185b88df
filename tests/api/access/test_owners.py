"""Whose an object is, and which objects a request names."""

from __future__ import annotations

from api.access.owners import OWNERS, find_ids
from api.access.table import ACCESS, Scope


def test_ids_are_found_wherever_a_line_says() -> None:
    body = {"patient": "pat", "links": [{"before": "a"}, {"before": 5}, {"after": "b"}, "c"], "visit": {"patient": "quin"}}
    assert find_ids(body, "patient") == ["pat"]
    assert find_ids(body, "links[].before") == ["a"]
    assert find_ids(body, "visit.patient") == ["quin"]
    assert find_ids(body, "patient.name") == find_ids([], "patient") == find_ids(None, "links[].before") == []


def test_every_kind_that_own_lines_name_in_the_path_has_an_owner() -> None:
    lines = [line for line in ACCESS if Scope.OWN in line.roles.values()]
    assert lines and all(set(line.named_in_path) <= set(OWNERS) for line in lines)
