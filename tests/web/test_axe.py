"""No page has a fault that axe-core can find, by WCAG 2.2 to level AA, light and dark; a phone is not too narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.browser import DeskServed, find_faults, planned_week
from support.screens import SCREENS, open_screen

NARROW = {"width": 320, "height": 640}
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


def test_every_other_screen(page: Any, desk: DeskServed, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    faults = {}
    for screen in SCREENS:
        open_screen(page, desk, screen)
        faults[screen] = find_faults(page)
    assert {screen: found for screen, found in faults.items() if found} == {}


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


# --- pages without a script --------------------------------------------------------------------------------------------


@pytest.fixture
def phone(browser: Any, scheme: str) -> Iterator[Any]:
    context = browser.new_context(viewport=NARROW, color_scheme=scheme, is_mobile=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def patients_page(page: Any, desk: DeskServed) -> str:
    """Return the address of the page of the last visit's link, as the desk gives it."""
    visit = max(planned_week()[1].visits, key=lambda booking: booking.start).visit
    made = page.request.post(f"{desk.address}/v1/visits/{visit}/links", data={}, headers={"Sec-Fetch-Site": "same-origin"})
    return f"{desk.address}/p/{made.json()['secret']}"


def expect_well_made(page: Any) -> None:
    assert find_faults(page) == []
    assert page.evaluate("document.scripts.length") == 0
    for size in ("100%", "200%"):
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"it scrolls sideways with text of {size}"


def test_the_patients_page(phone: Any, patients_page: str) -> None:
    phone.goto(patients_page)
    phone.get_by_role("heading", level=1).wait_for()
    expect_well_made(phone)


def test_the_page_with_other_times(phone: Any, patients_page: str) -> None:
    phone.goto(patients_page)
    phone.get_by_role("button", name="Another time, please").click()
    phone.get_by_text("These times are free").wait_for()
    expect_well_made(phone)
    phone.locator("form[method=post] button").first.click()
    phone.get_by_role("button", name="Yes, move my appointment").wait_for()
    expect_well_made(phone)


def test_the_page_of_a_link_that_has_ended(phone: Any, desk: DeskServed) -> None:
    phone.goto(f"{desk.address}/p/cwl_none")
    expect_well_made(phone)


def test_the_page_on_which_staff_log_in(phone: Any, desk: DeskServed) -> None:
    phone.goto(f"{desk.address}/me")
    expect_well_made(phone)
