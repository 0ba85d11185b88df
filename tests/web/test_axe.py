"""No page has a fault that axe-core can find, by WCAG 2.2 to level AA, light and dark."""

from __future__ import annotations

from typing import Any

from support.browser import DeskServed, find_faults

TO_BEFORE_ANY_SHIFT = 40
"""Quarters of an hour: from any place on the first day to its beginning, at seven."""


def test_the_first_pages(browser: Any, desk: DeskServed, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(desk.address)
    page.get_by_label("Name").wait_for()
    assert find_faults(page) == []
    page.goto(desk.start)
    page.get_by_role("link", name="Open").wait_for()
    assert find_faults(page) == []
    context.close()


def test_the_board_with_misses_and_a_visit_open(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.locator("[data-visit]").first.click()
    page.get_by_label("Find patient, service, room").fill("0001")
    page.locator(".miss").first.wait_for()
    assert find_faults(page) == []


def test_the_page_that_asks_for_a_plan(page: Any, desk: DeskServed, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("link", name="Plan").click()
    page.get_by_role("button", name="Ask for a plan").wait_for()
    assert find_faults(page) == []


def test_axe_bites(page: Any) -> None:
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"data:,\"><button></button>')")
    assert {fault.split(":")[0] for fault in find_faults(page)} >= {"image-alt", "button-name"}


def test_a_broken_verdict_what_waits_and_the_dialogs(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.locator("[data-visit]").first.focus()
    page.keyboard.press("w")
    page.keyboard.press("m")
    page.locator(".free").first.wait_for(state="attached")
    for _ in range(TO_BEFORE_ANY_SHIFT):
        page.keyboard.press("ArrowLeft")
    page.locator("aside .bad").first.wait_for()
    assert find_faults(page) == []
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Discard").wait_for()
    page.locator(".bar .bad").first.wait_for()
    assert find_faults(page) == []
    page.get_by_role("button", name="Discard").click()
    for key in ("?", "r"):
        page.keyboard.press(key)
        page.get_by_role("dialog").wait_for()
        assert find_faults(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
