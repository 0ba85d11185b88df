"""Ids of resources stand for ours, whatever ours are."""

from __future__ import annotations

import pytest

from api.fhir.ids import FITTING, find_own_id, make_id, read_reference


@pytest.mark.parametrize("own", ["visit-0181", "a.b", "x" * 64, "x.y", "é", "a:b", "a/b", "x" * 65, " "])
def test_an_id_of_ours_fits_and_is_found_again(own: str) -> None:
    made = make_id(own)
    assert FITTING.fullmatch(made)
    assert find_own_id(made, ["other", own]) == own


def test_ids_that_differ_are_told_apart() -> None:
    assert len({make_id(own) for own in ("a:b", "a/b", "a b", "x.a")}) == 4
    assert make_id("visit-0181") == "visit-0181"
    assert find_own_id(make_id("a:b"), ["a/b"]) is None
    assert find_own_id("no id", ["no id"]) is None


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Patient/pat", "pat"),
        ("pat", "pat"),
        ("https://ehr.example/fhir/Patient/pat", "pat"),
        ("Patient/pat/_history/3", "pat"),
        ("Practitioner/pat", None),
        ("urn:uuid:1", None),
        ("#contained", None),
    ],
)
def test_references_are_read_relative_absolute_or_as_ids(text: str, own: str | None) -> None:
    assert read_reference(text, "Patient") == own
