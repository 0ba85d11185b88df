"""The pages beside the board: arrivals are noted and taken back, patients are found and given a link, tasks are done."""

from __future__ import annotations

from typing import Any

import pytest
from support.browser import DeskServed, find_faults, planned_week


@pytest.fixture
def at(page: Any, desk: DeskServed) -> Any:
    """Return what goes to a page of the desk, logged in."""

    def go(path: str) -> Any:
        page.goto(f"{desk.address}{path}")
        return page

    return go


def test_a_patient_is_found_and_given_a_link(at: Any, desk: DeskServed) -> None:
    wanted = desk.scenario.patients[0]
    page = at("/patients")
    page.get_by_label("Find a patient").fill(wanted.name)
    page.get_by_role("link", name=wanted.name).first.click()
    page.get_by_role("heading", level=1, name=wanted.name).wait_for()
    assert find_faults(page) == []


def test_tasks_say_that_there_are_none(at: Any) -> None:
    page = at("/tasks")
    page.get_by_text("Nothing waits for you.").wait_for()
    assert find_faults(page) == []


def test_who_is_here_is_noted_and_taken_back(at: Any, page: Any, desk: DeskServed) -> None:
    visit = min(planned_week()[1].visits, key=lambda booking: booking.start)
    page.clock.set_fixed_time(visit.start)
    at("/today")
    page.get_by_role("button", name="Arrived").first.click()
    page.get_by_text("✓ arrived").wait_for()
    assert find_faults(page) == []
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("✓ arrived").wait_for(state="detached")
