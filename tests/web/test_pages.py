"""The pages beside the board: arrivals are noted and taken back, patients are found and given a link, tasks are done."""

from __future__ import annotations

from typing import Any

import pytest
from support.browser import DeskServed, find_faults, planned_week

from scheduling.generate import DEFAULT_START

WEEK = DEFAULT_START
"""It has begun, whatever the clock of the machine says: who is here is noted on the day."""


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
    visit = min(planned_week(WEEK)[1].visits, key=lambda booking: booking.start)
    page.clock.set_fixed_time(visit.start)
    at("/today")
    page.get_by_role("button", name="Arrived").first.click()
    page.get_by_text("✓ arrived").wait_for()
    assert find_faults(page) == []
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("✓ arrived").wait_for(state="detached")


def test_today_says_when_patients_are_to_be_there_and_a_wall_names_none(at: Any, page: Any, desk: DeskServed) -> None:
    first = min(planned_week(WEEK)[1].visits, key=lambda booking: booking.start)
    name = {visit.id: desk.scenario.patients_by_id[visit.patient].name for visit in desk.scenario.visits}[first.visit]
    page.clock.set_fixed_time(first.start)
    at("/today")
    page.get_by_role("link", name=name).first.wait_for()
    assert page.get_by_text("here by").count() > 0 and page.get_by_text("held places left").count() == 1
    at("/today?wall=1")
    page.get_by_text("held places left").wait_for()
    assert not any(patient.name in page.locator("main").inner_text() for patient in desk.scenario.patients)
    assert find_faults(page) == []


def test_a_sheet_is_looked_at_before_it_is_taken_in(at: Any) -> None:
    page = at("/intake")
    page.get_by_label("Or paste rows").fill("kind,patient,name\nnonsense,mrn-1,Robin Example")
    page.get_by_role("button", name="Check").click()
    page.get_by_text('unknown kind "nonsense"').wait_for()
    assert page.get_by_role("button", name="Take").count() == 0


def test_one_referral_is_entered_in_a_form_that_asks_for_what_its_kind_needs(at: Any) -> None:
    page = at("/intake")
    kind = page.get_by_label("Referred for")
    kind.locator("option[value=pump-refill]").wait_for(state="attached")
    assert page.get_by_label("Reservoir is low on").count() == 0
    kind.select_option("pump-refill")
    page.get_by_label("Reservoir is low on").fill("2026-12-20")
    page.get_by_label("Number").fill("mrn-form")
    page.get_by_role("button", name="Enter the referral").click()
    page.get_by_role("alert").wait_for()  # it is not known whose number this is
    page.get_by_label("Name (of a new patient)").fill("Robin Example")
    assert find_faults(page) == []
    page.get_by_role("button", name="Enter the referral").click()
    page.get_by_text("Taken in:").wait_for()
