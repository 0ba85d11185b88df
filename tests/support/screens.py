"""The screens of the desk: where each is, and how it is known that it is there."""

from __future__ import annotations

import re
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


def can_be_stopped(page: Any) -> bool:
    """Wait until a search for a plan can be stopped, or has ended by itself; return whether it can be stopped."""
    button = page.locator("button:enabled", has_text=re.compile("^(Stop and keep the best|Publish)")).first
    button.wait_for(timeout=3 * MINUTE)
    return "Stop" in button.inner_text()
