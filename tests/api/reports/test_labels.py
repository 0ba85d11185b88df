"""Short names: unlike, and told from where they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.labels import codes, elided
from scheduling import catalogue
from scheduling.timegrid import write_clock


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        ("epidural-steroid-injection", "ESI"),
        ("follow-up", "FU"),
        ("scs-trial", "SCSt"),
        ("sdd-trial-check", "SDDtc"),
        ("wang-exam-10", "WE10"),
        ("bedside", "B"),
        ("Visite à domicile", "VÀD"),
        ("--", "--"),
        ("42", "42"),
    ],
)
def test_a_code_is_made_of_initials_acronyms_and_numbers(identifier: str, code: str) -> None:
    assert codes([identifier]) == {identifier: code}


def test_a_later_id_gives_way_with_a_second_letter_and_so_do_those_like_it() -> None:
    found = codes(["wang-exam-1", "west-exam-1", "wang-exam-2", "west-exam-2"])
    assert list(found.values()) == ["WE1", "WeE1", "WE2", "WeE2"]


def test_every_service_of_the_catalogue_has_a_code_of_five_letters_at_most() -> None:
    found = codes(service.id for service in catalogue.list_services())
    assert max(map(len, found.values())) <= 5


@given(st.lists(st.text("ab1-_ é/", min_size=1, max_size=6)))
def test_no_two_ids_have_the_same_code(identifiers: list[str]) -> None:
    found = codes(identifiers)
    assert set(found) == set(identifiers)
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    ("width", "expected"), [(12, "physician-12"), (11, "physi…an-12"), (4, "ph…2"), (2, "p…"), (1, "p"), (0, "")]
)
def test_a_long_text_loses_its_middle(width: int, expected: str) -> None:
    assert elided("physician-12", width) == expected


def test_minutes_of_the_day_are_written_as_a_clock_shows_them() -> None:
    assert [write_clock(minute) for minute in (0, 545, 1439)] == ["00:00", "09:05", "23:59"]
