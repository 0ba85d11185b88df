"""What a scheduler does with a mouse is done by keys alone: visits are pinned and referrals taken in; test_moving has moves."""

from __future__ import annotations

from typing import Any

MOST_STEPS = 60
MINUTE = 60_000


def tab_to(page: Any, name: str) -> None:
    """Press Tab until what has a name has the focus; fails when that is never so."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if name in page.evaluate("document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"):
            return
    raise AssertionError(f"no {name} is reached by Tab")


def test_a_visit_is_pinned(page: Any) -> None:
    item = page.locator("[data-visit]").first
    item.focus()
    page.keyboard.press("p")
    page.locator("button:enabled", has_text="Apply").wait_for()
    tab_to(page, "Apply")
    page.keyboard.press("Enter")
    page.get_by_text("Applied.").wait_for()
    assert "pinned" in item.get_attribute("class")


def test_a_referral_is_taken_in(page: Any) -> None:
    page.keyboard.press("r")
    page.get_by_role("dialog").wait_for()
    tab_to(page, "New patient")
    page.keyboard.press("Enter")
    tab_to(page, "Name")
    page.keyboard.type("Robin Example")
    tab_to(page, "Number")
    page.keyboard.type("mrn-keyboard")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").locator(".good, .bad").first.wait_for(timeout=MINUTE)
    tab_to(page, "Close")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
