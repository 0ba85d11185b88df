"""Changes staged on the board: a swap is one change with one mail each, and what is undone in time sends none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from support.browser import DeskServed

OWN = {"Sec-Fetch-Site": "same-origin"}
PLACE = ("start", "location", "room", "team", "supervisors")
STEP = timedelta(minutes=15)
Visit = dict[str, Any]


@pytest.fixture
def swap(page: Any, desk: DeskServed) -> tuple[Visit, Visit]:
    """Return two visits of one person and day that may take each other's time, of which neither may go alone.

    Their patients have addresses.
    """
    board = page.request.get(f"{desk.address}/v1/scenarios/{desk.scenario.id}/board").json()
    for first, second in combinations(board["visits"], 2):
        if first["team"] != second["team"] or first["start"][:10] != second["start"][:10] or steps(first, second) % 1:
            continue
        there, back = place(first, second), place(second, first)
        alone = [judge(page, desk, change)["applicable"] for change in (there, back)]
        if not any(alone) and judge(page, desk, there, back)["applicable"]:
            for visit in (first, second):
                give_address(page, desk, visit["patient"])
            return first, second
    raise AssertionError("no two visits may take each other's time")


def steps(visit: Visit, at: Visit) -> float:
    return (datetime.fromisoformat(at["start"]) - datetime.fromisoformat(visit["start"])) / STEP


def place(visit: Visit, at: Visit) -> dict[str, Any]:
    """Return the change that puts a visit, where it is, at the time of another one."""
    return {"kind": "place", "visit": visit["visit"], **{name: visit[name] for name in PLACE}, "start": at["start"]}


def judge(page: Any, desk: DeskServed, *changes: dict[str, Any]) -> Any:
    path = f"{desk.address}/v1/scenarios/{desk.scenario.id}/judgements"
    return page.request.post(path, data={"changes": changes}, headers=OWN).json()


def give_address(page: Any, desk: DeskServed, patient: str) -> None:
    path = f"{desk.address}/v1/patients/{patient}/contact"
    tag = page.request.get(path).headers["etag"]
    given = page.request.put(path, data={"email": f"{patient}@home.example"}, headers=OWN | {"If-Match": tag})
    assert given.ok, given.text()


def stands(page: Any, desk: DeskServed) -> list[Visit]:
    """Return what stands in the week, as its board tells it, whatever its version is."""
    board = page.request.get(f"{desk.address}/v1/scenarios/{desk.scenario.id}/board").json()
    return [visit | {"version": 0} for visit in board["visits"]]


def outbox(desk: DeskServed, state: str) -> dict[str, str]:
    """Return what the messages in a state tell, by address, of which each has one."""
    wanted = "SELECT json_extract(tells, '$.address'), tells FROM messages WHERE state = ?"
    with closing(sqlite3.connect(desk.file)) as store:
        rows = store.execute(wanted, [state]).fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def count_changes(desk: DeskServed) -> int:
    with closing(sqlite3.connect(desk.file)) as store:
        (count,) = store.execute("SELECT count(*) FROM change_sets").fetchone()
    return int(count)


def stage(page: Any, visit: Visit, at: Visit) -> None:
    """Carry a visit by keys to the time of another one, and leave it there."""
    page.locator(f"[data-key='visit:{visit['visit']}@{visit['team'][0]}']").focus()
    page.keyboard.press("m")
    page.locator(".ghost").wait_for()
    count = int(steps(visit, at))
    for _ in range(abs(count)):
        page.keyboard.press("ArrowRight" if count > 0 else "ArrowLeft")
    page.keyboard.press("Enter")
    page.locator(".ghost").wait_for(state="detached")


@pytest.fixture
def swapped(page: Any, desk: DeskServed, swap: tuple[Visit, Visit]) -> tuple[list[Visit], dict[str, str]]:
    """Stage and apply the swap; return what stood before, and what its patients were to hear then."""
    before, waits = stands(page, desk), outbox(desk, "waiting")
    first, second = swap
    stage(page, first, second)
    page.locator(".bar .bad").first.wait_for()
    assert page.locator("button:disabled", has_text="Apply").count() == 1, "the first step alone breaks rules"
    stage(page, second, first)
    page.locator("button:enabled", has_text="Apply").click()
    page.get_by_text("Applied.").wait_for()
    return before, waits


def test_a_swap_is_one_change_with_one_mail_each_and_undone_in_time_sends_none(
    page: Any, desk: DeskServed, swap: tuple[Visit, Visit], swapped: tuple[list[Visit], dict[str, str]]
) -> None:
    before, waited = swapped
    after = {visit["visit"]: visit["start"] for visit in stands(page, desk)}
    assert [after[visit["visit"]] for visit in swap] == [visit["start"] for visit in reversed(swap)]
    waits = outbox(desk, "waiting")
    assert sorted(waits) == sorted(f"{visit['patient']}@home.example" for visit in swap)
    assert not waits.items() & waited.items(), "each hears of the new time, once"
    assert count_changes(desk) == 1
    page.keyboard.press("Control+z")
    page.get_by_text("Taken back").wait_for()
    assert stands(page, desk) == before
    assert (outbox(desk, "waiting"), outbox(desk, "sent")) == (waited, {})
