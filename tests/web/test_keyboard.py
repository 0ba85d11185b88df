"""What a scheduler does with a mouse is done by keys alone, and by clicks alone without dragging."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.screens import MINUTE, stop_search

MOST_STEPS = 80
SAID = """() => {
  const at = document.activeElement;
  return at === document.body ? '' : at.labels?.[0]?.innerText || at.innerText || '';
}"""


def tab_to(page: Any, name: str) -> None:
    """Press Tab until what has a name has the focus; fails when that is never so."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if page.evaluate(SAID).strip().startswith(name):
            return
    raise AssertionError(f"no {name} is reached by Tab")


class Keys:
    """Hands that have a keyboard alone."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, name: str) -> None:
        """Press what has a name, wherever the focus is."""
        tab_to(self.page, name)
        self.page.keyboard.press("Enter")

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list, by the first letters of it."""
        tab_to(self.page, label)
        self.page.keyboard.type(option)

    def fill(self, label: str, text: str) -> None:
        """Fill a field in."""
        tab_to(self.page, label)
        self.page.keyboard.type(text)

    def open_first_visit(self) -> None:
        """Go to the board's one tab stop, and open the visit there in the panel."""
        for _ in range(MOST_STEPS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.dataset.visit"):
                self.page.keyboard.press("Enter")
                return
        raise AssertionError("no visit is reached by Tab")


class Clicks:
    """Hands that have a pointer with one button, and cannot hold it down."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, name: str) -> None:
        """Click what has a name."""
        text = re.compile(rf"^\s*{re.escape(name)}")
        self.page.locator("button, a").filter(has_text=text).locator("visible=true").first.click()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list."""
        self.page.get_by_label(label).select_option(label=option)

    def fill(self, label: str, text: str) -> None:
        """Fill a field in."""
        self.page.get_by_label(label, exact=True).fill(text)

    def open_first_visit(self) -> None:
        """Open the first visit in the panel."""
        self.page.locator("[data-visit]").first.click()


Hands = Keys | Clicks


@pytest.fixture(params=[Keys, Clicks], ids=["keys", "clicks"])
def hands(request: pytest.FixtureRequest, page: Any) -> Hands:
    make: Callable[[Any], Hands] = request.param
    return make(page)


def test_a_week_is_planned_and_published(page: Any, hands: Hands) -> None:
    hands.press("Plan…")
    page.get_by_role("button", name="Ask for a plan").wait_for()
    hands.choose("Seconds", "10 s")
    assert page.get_by_label("Seconds").input_value() == "10"
    hands.press("Ask for a plan")
    stop_search(page, hands.press)
    page.get_by_role("button", name="Publish").wait_for(timeout=MINUTE)
    hands.press("Publish")
    page.get_by_text("Published:").wait_for()
    hands.press("Go to the board")
    page.locator("[data-visit]").first.wait_for()


def test_a_visit_is_moved_and_taken_back(page: Any, hands: Hands) -> None:
    hands.open_first_visit()
    panel = page.get_by_role("complementary", name="Visit")
    before = panel.locator("dl").inner_text()
    hands.press("Move…")
    page.locator("input[type=radio]").first.wait_for()
    hands.press("Stage")
    page.locator("button:enabled", has_text="Apply").wait_for()
    hands.press("Apply")
    page.get_by_text("Applied.").wait_for()
    assert panel.locator("dl").inner_text() != before
    hands.press("Undo (Ctrl+Z)")
    page.get_by_text("Taken back").wait_for()
    assert panel.locator("dl").inner_text() == before


def test_a_visit_is_pinned_and_let_go(page: Any, hands: Hands) -> None:
    hands.open_first_visit()
    item = page.locator(".item.selected").first
    for button, is_pinned in (("Pin", True), ("Unpin", False)):
        hands.press(button)
        page.locator("button:enabled", has_text="Apply").wait_for()
        hands.press("Apply")
        page.get_by_text("Applied.").wait_for()
        assert ("pinned" in item.get_attribute("class").split()) is is_pinned


def test_a_visit_is_pinned_by_one_key(page: Any) -> None:
    page.locator("[data-visit]").first.focus()
    page.keyboard.press("p")
    page.locator("button:enabled", has_text="Apply").wait_for()
    Keys(page).press("Discard")
    page.locator("button", has_text="Discard").wait_for(state="detached")


def test_a_referral_is_taken_in(page: Any, hands: Hands) -> None:
    number = f"mrn-{type(hands).__name__.lower()}"
    hands.press("Referral today…")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    hands.press("New patient")
    hands.fill("Name", "Robin Example")
    hands.fill("Number", number)
    hands.press("Find a place today")
    dialog.locator(".good, .bad").first.wait_for(timeout=MINUTE)
    hands.press("Close")
    dialog.wait_for(state="detached")


def test_the_place_of_a_visit_that_is_cancelled_is_offered(page: Any, hands: Hands) -> None:
    hands.open_first_visit()
    hands.press("Cancel visit")
    page.locator("button:enabled", has_text="Apply").wait_for()
    hands.press("Apply")
    page.get_by_text("Applied.").wait_for()
    hands.press("Who could come instead?")
    page.get_by_role("dialog").wait_for()
    page.get_by_role("dialog").get_by_text(re.compile("Nobody who waits|Who could use it")).wait_for(timeout=MINUTE)
    hands.press("Close")
    hands.press("Undo (Ctrl+Z)")
    page.get_by_text("Taken back").wait_for()


def test_a_name_that_nothing_has_is_not_reached(page: Any) -> None:
    with pytest.raises(AssertionError, match="no Frobnicate is reached"):
        tab_to(page, "Frobnicate")
