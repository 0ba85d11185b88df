"""A plan is asked for, watched, and published, with what changes in view."""

from __future__ import annotations

from typing import Any

MINUTE = 60_000


def test_a_plan_is_asked_for_and_published(page: Any) -> None:
    page.get_by_role("link", name="Plan").click()
    page.get_by_label("Seconds").select_option("10")
    page.get_by_role("button", name="Ask for a plan").click()
    publish = page.get_by_role("button", name="Publish")
    publish.wait_for(timeout=2 * MINUTE)
    page.locator("svg path.cost").wait_for(state="attached")
    publish.click()
    page.get_by_text("Published:").wait_for()
    page.get_by_role("button", name="Go to the board").click()
    page.locator("[data-visit]").first.wait_for()
