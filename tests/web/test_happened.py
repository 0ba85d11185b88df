"""Something has happened: what it would do to the week is seen on two boards before it is made real, or not."""

from __future__ import annotations

from typing import Any

import pytest
from support.browser import DeskServed, find_faults, planned_week

NOTHING_ENTERED = "No absence, closure or extra shift is entered."
MINUTE = 60_000


@pytest.fixture
def happened(page: Any, desk: DeskServed) -> Any:
    """Return the page of what has happened, with an illness on its list."""
    page.goto(f"{desk.address}/weeks/{desk.scenario.id}/happened")
    page.get_by_label("Who").select_option(planned_week()[1].visits[0].team[0])
    page.get_by_role("button", name="Add to the list").click()
    return page


def stored(page: Any, desk: DeskServed) -> list[Any]:
    """Return what stands and what was entered, as the service tells it."""
    paths = (f"scenarios/{desk.scenario.id}/plan", f"scenarios/{desk.scenario.id}", "absences", "tasks", "publications")
    return [page.request.get(f"{desk.address}/v1/{path}").json() for path in paths]


def test_what_was_entered_is_listed_and_taken_back(happened: Any, desk: DeskServed) -> None:
    happened.get_by_role("button", name="Enter it as it is").click()
    happened.get_by_role("button", name="Take back").click()
    happened.get_by_text(NOTHING_ENTERED).wait_for()


@pytest.mark.heavy
def test_an_illness_is_seen_on_two_boards_and_nothing_is_stored_until_it_is_made_real(happened: Any, desk: DeskServed) -> None:
    before = stored(happened, desk)
    happened.get_by_role("button", name="What if?").click()
    real = happened.get_by_role("button", name="Make it real")
    real.wait_for(timeout=2 * MINUTE)
    assert happened.get_by_text(NOTHING_ENTERED).is_visible()
    assert stored(happened, desk) == before
    boards = [happened.get_by_role("table", name=name) for name in ("published now", "It would be")]
    rows = [board.get_by_role("rowheader").all_inner_texts() for board in boards]
    assert rows[0] == rows[1] and 0 < len(rows[0]) < len(desk.scenario.providers)
    assert boards[0].inner_text() != boards[1].inner_text()
    assert find_faults(happened) == []
    real.click()
    happened.get_by_text("It is real").wait_for()
    happened.get_by_role("button", name="Take back").wait_for()
    assert stored(happened, desk) != before
