"""Boards that are open all day: the service does not grow, and nothing fails, while a plan is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.browser import DeskServed

BOARDS = 8
MINUTES = 10
PLAN_SECONDS = 300
MOST_GROWTH_KIB = 30 * 1024
OWN = {"Sec-Fetch-Site": "same-origin"}


def resident_kib(process: int) -> int:
    """Return how much memory a process has, KiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.heavy
def test_eight_boards_for_ten_minutes_while_a_plan_is_made(
    browser: Any, page: Any, desk: DeskServed, record_testsuite_property: Callable[[str, object], None]
) -> None:
    faults: list[str] = []
    boards = [page, *(open_board(browser, desk, faults) for _ in range(BOARDS - 1))]
    for board in boards:
        board.locator("[data-visit]").first.click()
    before = resident_kib(desk.process)
    asked = page.request.post(
        f"{desk.address}/v1/plans", data={"scenario": desk.scenario.id, "seconds": PLAN_SECONDS}, headers=OWN
    )
    assert asked.ok, asked.text()
    for minute in range(MINUTES):
        change_something(page, desk, minute)
        page.wait_for_timeout(60_000)
    grown = resident_kib(desk.process) - before
    record_testsuite_property("growth_kib", grown)
    assert faults == []
    pinned = page.locator(".item.pinned").count()
    assert all(board.locator(".item.pinned").count() == pinned for board in boards), "every board has heard all changes"
    assert grown <= MOST_GROWTH_KIB, f"{grown} KiB more"


def open_board(browser: Any, desk: DeskServed, faults: list[str]) -> Any:
    """Open the board in a browser of its own; what fails in it is kept."""
    board = browser.new_context().new_page()
    board.set_default_timeout(60_000)
    board.on("pageerror", lambda error: faults.append(str(error)))
    board.on("response", lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    board.goto(desk.start)
    board.get_by_role("link", name="Open").click()
    board.locator("[data-key]").first.wait_for()
    return board


def change_something(page: Any, desk: DeskServed, number: int) -> None:
    """Pin a visit, so that every board has something to read again."""
    week = f"{desk.address}/v1/scenarios/{desk.scenario.id}"
    board = page.request.get(f"{week}/board")
    free = [visit["visit"] for visit in board.json()["visits"] if not visit["pinned"]]
    change = {"changes": [{"kind": "pin", "visit": free[number % len(free)]}]}
    applied = page.request.post(f"{week}/changes", data=change, headers=OWN | {"If-Match": board.headers["etag"]})
    assert applied.ok, applied.text()
