"""Patients' and staff's pages in a browser: nothing that axe-core finds, no sideways scroll on a narrow phone, no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.browser import DeskServed, find_faults, planned_week

NARROW = {"width": 320, "height": 640}


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
