"""The screens of the desk: where each is, and how it is known that it is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from support.browser import DeskServed

MINUTE = 60_000

SCREENS = {
    "weeks": "/",
    "plan": "/weeks/{week}/plan",
    "happened": "/weeks/{week}/happened",
    "today": "/today",
    "wall": "/today?wall=1",
    "tasks": "/tasks",
    "patients": "/patients",
    "patient": "/patients/{patient}",
    "intake": "/intake",
    "why": "/visits/{visit}/why",
    "pathways": "/pathways",
    "groups": "/groups",
    "outlook": "/outlook",
    "roster": "/roster",
}
"""The paths of all screens but the board and the pages without a script."""


def open_screen(page: Any, desk: DeskServed, screen: str, query: str = "") -> None:
    """Go to a screen, and wait until it has its heading and nothing is being loaded."""
    week = desk.scenario
    path = SCREENS[screen].format(week=week.id, patient=week.patients[0].id, visit=week.visits[0].id)
    page.goto(f"{desk.address}{path}{'&' if '?' in path else '?'}{query}")
    page.get_by_role("heading", level=1).first.wait_for()
    page.get_by_text("Loading…").first.wait_for(state="detached")


STOP = "Stop and keep the best"


def stop_search(page: Any, press: Callable[[str], None]) -> None:
    """Wait until a search for a plan can be stopped, and stop it by what presses a button of a name.

    A search of a small week may end by itself at any moment: before there is such a button, or as it is being pressed.
    """
    button = page.locator("button:enabled", has_text=re.compile(f"^({STOP}|Publish)")).first
    button.wait_for(timeout=3 * MINUTE)
    if "Publish" in button.inner_text():
        return
    try:
        press(STOP)
    except Exception:
        if not page.get_by_role("button", name="Publish").is_visible():
            raise
