"""Pages of care over months, and of who works: pathways, groups, the outlook, and the roster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.browser import DeskServed, find_faults

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
GROUP = "Coping skills"
NAME = "Robin Example"


@pytest.fixture
def at(page: Any, desk: DeskServed) -> Callable[[str], Any]:
    """Return what goes to a page of a clinic whose roster is known."""
    taken = page.request.put(f"{desk.address}/v1/roster", data=desk.scenario.model_dump(mode="json"), headers=SAME_ORIGIN)
    assert taken.ok, taken.text()

    def go(path: str) -> Any:
        page.goto(f"{desk.address}{path}")
        page.get_by_role("heading", level=1).wait_for()
        return page

    return go


def refer(page: Any, desk: DeskServed, **fields: str) -> Any:
    answer = page.request.post(f"{desk.address}/v1/intake", data=fields, headers=SAME_ORIGIN)
    assert answer.ok, answer.text()
    return answer.json()


def test_pages_of_months_have_no_barriers(at: Any, page: Any, desk: DeskServed, scheme: str) -> None:
    episode = refer(page, desk, kind="new-patient-chronic", patient=f"mrn-{scheme}", name="Kim Example")["episode"]
    page.emulate_media(color_scheme=scheme)
    at(f"/pathways#{episode}")
    page.get_by_role("rowheader", name="Evaluation").wait_for()
    assert find_faults(page) == []
    at("/groups")
    page.get_by_role("button", name=f"Move… {GROUP}").click()
    page.get_by_role("dialog").get_by_label("Start").wait_for()
    assert find_faults(page) == []
    at("/outlook")
    page.get_by_text("nobody works").first.wait_for()
    assert find_faults(page) == []
    at("/roster")
    page.get_by_role("button", name=desk.scenario.providers[0].name, exact=True).click()
    page.get_by_text("Calendars elsewhere").wait_for()
    assert find_faults(page) == []


def test_a_patients_pathway_is_found_and_its_steps_are_dated(at: Any, page: Any, desk: DeskServed) -> None:
    refer(page, desk, kind="new-patient-chronic", patient="mrn-1", name=NAME)
    at("/patients/mrn-1")
    page.get_by_role("link", name="New patient chronic").click()
    steps = page.get_by_role("region", name=NAME).get_by_role("row")
    steps.get_by_role("rowheader", name="Evaluation").wait_for()
    page.get_by_label("Find by patient").fill(NAME)
    page.locator(".episodes a").filter(has_text=NAME).wait_for()
    page.get_by_text("Note what became known").click()
    page.get_by_label("What").select_option("stopped")
    page.get_by_role("button", name="Note it").click()
    page.get_by_text("Noted.").wait_for()
    page.get_by_text("Nothing is open.").wait_for()


def test_a_group_shows_its_seats_and_its_session_is_called_off_only_when_asked_twice(at: Any, page: Any) -> None:
    at("/groups")
    card = page.get_by_role("region", name=GROUP, exact=True)
    card.get_by_text("seats taken").first.wait_for()
    card.get_by_role("button", name=f"Move… {GROUP}").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    card.get_by_role("button", name=f"Call off… {GROUP}").click()
    page.get_by_role("dialog").get_by_role("button", name="No, keep it").click()
    assert card.get_by_role("button", name=f"Move… {GROUP}").is_visible()


def test_a_place_that_breaks_a_rule_is_refused_in_words_and_the_session_stays(at: Any, page: Any) -> None:
    at("/groups")
    card = page.get_by_role("region", name=GROUP, exact=True)
    before = card.get_by_role("heading", level=3).inner_text()
    card.get_by_role("button", name=f"Move… {GROUP}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Start").fill("2090-01-04T03:00")
    dialog.get_by_role("button", name="Move…").click()
    dialog.get_by_role("alert").wait_for()
    dialog.get_by_role("button", name="Close").click()
    assert card.get_by_role("heading", level=3).inner_text() == before


def test_the_outlook_has_a_number_for_each_week(at: Any, page: Any) -> None:
    at("/outlook")
    page.get_by_role("button", name="Rooms").click()
    page.get_by_role("columnheader").nth(12).wait_for()
    page.get_by_text("nobody works").first.wait_for()


def test_the_roster_says_who_works_and_takes_a_file_after_a_look(at: Any, page: Any, desk: DeskServed) -> None:
    at("/roster")
    somebody = desk.scenario.providers[0]
    page.get_by_role("button", name=somebody.name, exact=True).click()
    page.get_by_text("Calendars elsewhere").wait_for()
    roster = {"name": "roster.json", "mimeType": "application/json", "buffer": desk.scenario.model_dump_json().encode()}
    page.locator("input[type=file]").set_input_files(roster)
    page.get_by_role("button", name="Take it in").click()
    page.get_by_text(f"Taken in: {len(desk.scenario.providers)} people").wait_for()


def test_a_file_that_is_no_roster_is_refused(at: Any, page: Any) -> None:
    at("/roster")
    page.locator("input[type=file]").set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": b"{"})
    page.get_by_text("This file is not JSON.").wait_for()
    assert page.get_by_role("button", name="Take it in").count() == 0


def test_pages_of_months_are_reached_from_the_head_by_keys(at: Any, page: Any) -> None:
    at("/tasks")
    page.locator("summary", has_text="More").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Pathways").wait_for()
    assert page.get_by_role("link", name="Administration").count() == 0
