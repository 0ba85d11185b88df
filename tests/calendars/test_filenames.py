"""File names for ids."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars.filenames import make_file_name


@pytest.mark.parametrize("identifier", ["physician-1", "coping-skills-2026-12", "v1.2", "a_b", "0", "a" * 80])
def test_a_plain_id_is_its_own_name(identifier: str) -> None:
    assert make_file_name(identifier) == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        ".hidden",
        "ends.",
        "nul",
        "con.txt",
        "Physician-1",
        "a b",
        "é",
        "a\0",
        "a" * 81,
        "x\n",
    ],
)
def test_any_other_id_gets_a_readable_name_with_a_digest(identifier: str) -> None:
    name = make_file_name(identifier)
    assert name != identifier
    assert name.rpartition("-")[0].replace("-", "").replace("_", "").isalnum()
    assert len(name.rpartition("-")[2]) == 16


def test_ids_that_differ_in_what_a_file_system_ignores_have_different_names() -> None:
    identifiers = ["ann", "Ann", "ANN", "caf\u00e9", "cafe\u0301", "a/b", "a-b", "a.b", "a:b"]
    names = {unicodedata.normalize("NFC", make_file_name(identifier)).casefold() for identifier in identifiers}
    assert len(names) == len(identifiers)


def test_an_id_that_looks_like_the_name_of_another_does_not_take_it() -> None:
    assert make_file_name(make_file_name("a/b")) != make_file_name("a/b")


@given(st.sets(st.text(max_size=200) | st.text("aA/.-\\:", max_size=6), max_size=30))
def test_names_of_ids_are_safe_and_unique(identifiers: set[str]) -> None:
    names = [make_file_name(identifier) for identifier in identifiers]
    assert len({name.casefold() for name in names}) == len(identifiers)
    for name in names:
        assert name.isascii()
        assert name[0].isalnum() or name[0] == "_"
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert 1 <= len(name) <= 100
