"""Two desks at once: what the one moves is on the other's board, and an Apply that comes too late says who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.browser import DeskServed


@pytest.fixture
def other(browser: Any, desk: DeskServed) -> Iterator[Any]:
    """Open the board in a second browser."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.goto(desk.start)
    opened.get_by_role("link", name="Open").click()
    opened.locator("[data-key]").first.wait_for()
    yield opened
    context.close()


def stage_move(page: Any, index: int) -> str:
    """Stage a visit at a place of its list, and return its key."""
    item = page.locator("[data-visit]").nth(index)
    key = str(item.get_attribute("data-key"))
    item.click()
    page.get_by_role("button", name="Move…").click()
    page.locator("input[type=radio]").first.check()
    page.get_by_role("button", name="Stage").click()
    page.locator("button:enabled", has_text="Apply").wait_for()
    return key


def label_of(page: Any, key: str) -> str:
    return str(page.locator(f"[data-key='{key}']").get_attribute("aria-label"))


def test_a_move_is_on_the_other_board(page: Any, other: Any) -> None:
    key = stage_move(page, 0)
    before = label_of(other, key)
    page.get_by_role("button", name="Apply").click()
    other.wait_for_function(
        "([key, before]) => document.querySelector(`[data-key='${key}']`)?.getAttribute('aria-label') !== before",
        arg=[key, before],
    )


def test_who_changes_hears_nothing_of_it(page: Any) -> None:
    stage_move(page, 0)
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("Applied.").wait_for()
    with page.expect_response("**/board"):
        page.keyboard.press("Control+z")
    page.get_by_text("Taken back").wait_for()
    assert page.get_by_text("changed the week").count() == 0


def test_an_apply_that_comes_too_late_says_who_changed_what_and_loses_nothing(page: Any, other: Any) -> None:
    other.route("**/changes", lambda route: route.abort() if route.request.method == "GET" else route.continue_())
    other.reload()
    other.locator("[data-key]").first.wait_for()
    stage_move(other, 0)
    stage_move(page, 1)
    moved = page.get_by_role("complementary", name="Visit").get_by_role("heading", level=2).inner_text()
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("Applied.").wait_for()
    other.get_by_role("button", name="Apply").click()
    told = other.get_by_role("status").filter(has_text="demo")
    told.wait_for()
    assert moved in told.inner_text()
    other.get_by_role("button", name="Apply").wait_for()  # whether it may still be done depends on where the other visit went
    other.get_by_role("button", name="Discard").click()
