"""A visit is moved by keys alone: judged, staged, applied, and taken back."""

from __future__ import annotations

import re
from typing import Any

from support.browser import find_faults


def place_of(page: Any, key: str) -> str:
    return str(page.locator(f"[data-key='{key}']").get_attribute("aria-label"))


def test_a_visit_is_moved_and_taken_back_by_keys(page: Any) -> None:
    item = page.locator("[data-visit]").first
    key, before = item.get_attribute("data-key"), item.get_attribute("aria-label")
    item.focus()
    page.keyboard.press("m")
    page.locator(".free").first.wait_for(state="attached")
    page.keyboard.press("Control+ArrowRight")
    page.get_by_text("Breaks no rule").last.wait_for(state="attached")
    assert find_faults(page) == []
    page.keyboard.press("Enter")
    page.locator("button:enabled", has_text="Apply").click()
    page.get_by_text("Applied.").wait_for()
    assert place_of(page, key) != before
    page.keyboard.press("Control+z")
    page.get_by_text("Taken back").wait_for()
    assert place_of(page, key) == before


def test_escape_leaves_a_visit_where_it_was(page: Any) -> None:
    item = page.locator("[data-visit]").first
    before = item.get_attribute("aria-label")
    item.focus()
    page.keyboard.press("m")
    page.locator(".free").first.wait_for(state="attached")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert item.get_attribute("aria-label") == before
    assert page.get_by_role("button", name="Apply").count() == 0


def test_a_place_is_chosen_from_a_list_without_dragging(page: Any) -> None:
    page.locator("[data-visit]").first.click()
    page.get_by_role("button", name="Move…").click()
    page.locator("input[type=radio]").first.check()
    page.get_by_role("button", name="Stage").click()
    page.locator("button:enabled", has_text="Apply").wait_for()
    page.get_by_role("button", name="Discard").click()


def test_other_places_are_others_than_the_present_one(page: Any) -> None:
    item = page.locator("[data-visit]").first
    present = re.search(r"\w{3} \d+ \w{3} \d\d:\d\d", str(item.get_attribute("aria-label")))
    item.click()
    page.get_by_role("button", name="Move…").click()
    page.locator("input[type=radio]").first.wait_for()
    team = page.locator("dt:text-is('With') + dd").inner_text()
    offered = page.locator("form label").all_inner_texts()
    assert present is not None
    assert not any(present.group() in text and team in text for text in offered) and all("points" in text for text in offered)
