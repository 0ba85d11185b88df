"""The page of administration: accounts, links and feeds, the audit, and how the service is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.browser import DeskServed, find_faults


@pytest.fixture
def admin(browser: Any, desk: DeskServed) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.goto(desk.start_of_admin)
    opened.get_by_role("heading", level=1, name="Administration").wait_for()
    yield opened
    context.close()


def test_the_parts_of_administration_have_no_barriers(admin: Any, scheme: str) -> None:
    admin.emulate_media(color_scheme=scheme)
    admin.get_by_role("button", name="Change… admin").click()
    admin.get_by_text("Tokens of programs").click()
    assert find_faults(admin) == []
    admin.get_by_role("button", name="Back").click()
    for part, said in (("Links and feeds", "No link was given."), ("Audit", "session.log-in"), ("State", "Ready")):
        admin.get_by_role("link", name=part).click()
        admin.get_by_text(said).first.wait_for()
        assert find_faults(admin) == []
    assert admin.get_by_role("link", name="Weeks").count() == 0


def test_an_account_is_added_closed_and_given_a_token(admin: Any) -> None:
    name = "erin"
    admin.get_by_role("button", name="Add account").click()
    admin.get_by_label("Name").fill(name)
    admin.get_by_label("Pass phrase").fill("a long enough phrase")
    admin.get_by_role("button", name="Save").click()
    admin.get_by_text(f"{name} is added.").wait_for()
    admin.get_by_role("button", name=f"Change… {name}").click()
    admin.get_by_text("Tokens of programs").click()
    admin.get_by_label("Program").fill("report")
    admin.get_by_role("button", name="Make a token").click()
    assert admin.get_by_label("Shown once.").input_value().startswith("cwt_")
    admin.get_by_label("May log in").uncheck()
    admin.get_by_role("button", name="Save").click()
    admin.get_by_text("Saved; its sessions have ended.").wait_for()
    admin.get_by_role("row", name=name).get_by_text("closed").wait_for()


def test_the_last_admin_stays(admin: Any) -> None:
    admin.get_by_role("button", name="Change… admin").click()
    admin.get_by_label("Role").select_option("scheduler")
    admin.get_by_role("button", name="Save").click()
    admin.get_by_role("dialog").get_by_role("alert").wait_for()


def test_the_audit_is_read_by_who_and_what(admin: Any) -> None:
    admin.get_by_role("link", name="Audit").click()
    admin.get_by_label("Action begins with").fill("session.")
    admin.get_by_label("Who").select_option("admin")
    admin.get_by_role("button", name="Look").click()
    admin.get_by_role("rowheader", name="session.log-in").first.wait_for()
    admin.get_by_role("rowheader").filter(has_not_text="session.").first.wait_for(state="detached")
