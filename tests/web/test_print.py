"""What is printed: the week on one sheet of A3, a day's lists with one sheet of A4 for each provider."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pypdf import PdfReader
from support.browser import DeskServed, planned_week

A3, A4 = (420, 297), (210, 297)
POINTS_OF_A_MILLIMETRE = 72 / 25.4
MANY_ROWS = """() => {
    const row = document.querySelector('[data-row]');
    row.after(...Array.from({length: 99}, () => row.cloneNode(true)));
}"""


def printed(page: Any) -> list[tuple[tuple[int, int], str]]:
    """Return the size of each sheet, in millimetres, and its text."""
    sheets = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    return [
        (tuple(round(float(side) / POINTS_OF_A_MILLIMETRE) for side in sheet.mediabox[2:]), sheet.extract_text())
        for sheet in sheets
    ]


def test_the_week_is_one_sheet(page: Any, desk: DeskServed) -> None:
    ((size, text),) = printed(page)
    assert size == A3
    missing = [provider.name for provider in desk.scenario.providers if provider.name not in " ".join(text.split())]
    assert missing == [] and "Fri" in text and "16" in text


def test_the_sheet_is_the_same_from_a_dark_screen(page: Any) -> None:
    background = "getComputedStyle(document.querySelector('[data-row] .name')).backgroundColor"
    page.get_by_label("Light or dark").click()
    page.locator("html[data-theme=dark]").wait_for()
    dark = page.evaluate(background)
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)" != dark


def test_every_sheet_of_a_long_print_has_the_hours(page: Any) -> None:
    page.get_by_role("button", name="Patient's day").click()
    page.locator("[data-row^='patient']").first.wait_for()
    page.evaluate(MANY_ROWS)
    sheets = printed(page)
    assert len(sheets) > 1
    assert all("Fri" in text and "16" in text for _, text in sheets)


def test_each_provider_of_a_day_has_one_sheet(page: Any, desk: DeskServed) -> None:
    first = min(booking.start for booking in planned_week()[1].visits)
    there = {who for booking in planned_week()[1].visits if booking.start.date() == first.date() for who in booking.team}
    names = {provider.id: provider.name for provider in desk.scenario.providers}
    page.clock.set_fixed_time(first)
    page.goto(f"{desk.address}/today")
    page.get_by_role("button", name="Print day lists").wait_for()
    page.get_by_text("expected").wait_for()
    page.evaluate("window.print = () => {}")
    page.get_by_role("button", name="Print day lists").click()
    sheets = printed(page)
    assert {size for size, _ in sheets} == {A4}
    headed = [name for name in names.values() for _, text in sheets if text.startswith(name)]
    assert len(headed) == len(set(headed)) == len(sheets) and {names[who] for who in there} <= set(headed)
    patients = {patient.name for patient in desk.scenario.patients if any(patient.name in text for _, text in sheets)}
    page.get_by_label("with names").uncheck()
    page.get_by_role("button", name="Print day lists").click()
    assert patients and not any(patient in text for _, text in printed(page) for patient in patients)
