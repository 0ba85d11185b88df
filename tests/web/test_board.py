"""The board shows what stands, by whom or where, and what is looked for."""

from __future__ import annotations

from typing import Any

from support.browser import DeskServed, planned_week


def visits_shown(page: Any) -> set[str]:
    return set(page.locator("[data-visit]").evaluate_all("nodes => nodes.map(node => node.dataset.visit)"))


def test_every_visit_that_stands_is_on_the_board(page: Any) -> None:
    assert visits_shown(page) == {booking.visit for booking in planned_week()[1].visits}


def test_every_provider_and_every_room_has_a_row(page: Any, desk: DeskServed) -> None:
    rows = page.locator("[data-row]")
    assert rows.count() == len(desk.scenario.providers)
    page.get_by_role("button", name="Room").click()
    page.wait_for_function(
        "count => document.querySelectorAll('[data-row]').length === count", arg=len(desk.scenario.clinic.rooms)
    )


def test_who_is_not_looked_for_steps_back(page: Any) -> None:
    first = page.locator("[data-visit]").first
    visit = first.get_attribute("data-visit")
    page.get_by_label("Find patient, service, room").fill(visit)
    page.locator(f".miss:not([data-visit='{visit}'])").first.wait_for()
    assert page.locator(f"[data-visit='{visit}'].miss").count() == 0


def test_a_visit_that_is_chosen_stands_in_the_panel(page: Any) -> None:
    item = page.locator("[data-visit]").first
    item.click()
    panel = page.get_by_role("complementary", name="Visit")
    assert panel.get_by_role("heading", level=2).inner_text() in item.get_attribute("aria-label")


def test_arrows_walk_from_visit_to_visit(page: Any) -> None:
    row = page.locator("[data-row]", has=page.locator("[data-key] >> nth=1")).first
    items = row.locator("[data-key]")
    items.first.focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.dataset.key")
    assert focused == items.nth(1).get_attribute("data-key")


def test_log_in_is_asked_for_in_place(browser: Any, desk: DeskServed) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{desk.address}/weeks/{desk.scenario.id}")
    page.get_by_label("Name").fill("demo")
    page.get_by_label("Pass phrase").fill("not this one")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("Pass phrase").fill(desk.password)
    page.get_by_role("button", name="Log in").click()
    page.locator("[data-visit]").first.wait_for()
    assert page.url.endswith(f"/weeks/{desk.scenario.id}")
    context.close()
