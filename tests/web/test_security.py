"""What others send or write does nothing at the desk: requests of other sites, and names that look like markup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.browser import DeskServed, planned_week, served_plan
from support.screens import SCREENS, open_screen

EVIL = "https://evil.example"
MARKUP = "<img src=x onerror=alert(1)>"
TURNED = "\u202eexe.elgoog"
"""Text after an override of the direction of writing."""
REPORTS = "addEventListener('securitypolicyviolation', event => (window.reports ??= []).push(event.violatedDirective))"


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {}], ids=["another site", "no origin"])
@pytest.mark.parametrize(
    "path", ["plans", "scenarios/{week}/changes", "scenarios/{week}/judgements", "publications", "absences"]
)
def test_a_request_of_another_site_is_refused_though_it_has_the_cookie(
    page: Any, desk: DeskServed, path: str, headers: dict[str, str]
) -> None:
    (cookie,) = page.context.cookies(desk.address)
    address = f"{desk.address}/v1/{path.format(week=desk.scenario.id)}"
    sent = headers | {"Cookie": f"{cookie['name']}={cookie['value']}", "Content-Type": "application/json"}
    with desk.client() as client:
        assert client.post(address, content="{}", headers=sent).status_code == 403
        own = client.post(address, content="{}", headers=sent | {"Sec-Fetch-Site": "same-origin"})
    assert own.status_code in (422, 428), "it is the site that is refused, not what is sent"


def test_no_screen_does_what_its_policy_forbids(page: Any, desk: DeskServed) -> None:
    page.add_init_script(REPORTS)
    reports = {}
    for screen in SCREENS:
        open_screen(page, desk, screen)
        reports[screen] = page.evaluate("window.reports ?? []")
    page.goto(f"{desk.address}/weeks/{desk.scenario.id}")
    page.locator("[data-visit]").first.click()
    reports["board"] = page.evaluate("window.reports ?? []")
    assert {screen: found for screen, found in reports.items() if found} == {}


def test_the_policy_bites(page: Any) -> None:
    page.evaluate(REPORTS)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://evil.example/x.png\">')")
    page.wait_for_function("window.reports?.includes('img-src')")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskServed]:
    """Serve a week in which every name is markup, or turns what follows it."""
    week, plan = planned_week()
    named = week.changed(
        patients=tuple(patient.changed(name=f"{MARKUP} {patient.id}") for patient in week.patients),
        providers=tuple(provider.changed(name=f"{TURNED} {provider.id} {MARKUP}") for provider in week.providers),
    )
    with served_plan(tmp_path_factory.mktemp("hostile"), named, plan) as running:
        yield running


def test_names_that_look_like_markup_are_shown_as_text(browser: Any, hostile: DeskServed) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    raised: list[str] = []
    page.on("dialog", lambda dialog: (raised.append(dialog.message), dialog.dismiss()))
    page.goto(hostile.start)
    page.get_by_role("link", name="Open").click()
    page.locator("[data-visit]").first.click()
    page.get_by_role("complementary", name="Visit").get_by_text(MARKUP).first.wait_for()
    expect_text(page, "board")
    for screen in ("happened", "today", "patient", "why", "roster"):
        open_screen(page, hostile, screen)
        expect_text(page, screen)
    page.goto(f"{hostile.address}/patients")
    page.get_by_label("Find a patient").fill("onerror")
    page.get_by_role("link", name=MARKUP).first.wait_for()
    expect_text(page, "patients")
    assert raised == []
    context.close()


def expect_text(page: Any, screen: str) -> None:
    """Expect that no name has become an element, and that none turns what is beside it."""
    assert page.locator("img").count() == 0, screen
    turning = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(node =>
            [...node.childNodes].some(child => child.nodeType === 3 && child.data.includes('\\u202e'))
            && !['plaintext', 'isolate', 'isolate-override'].includes(getComputedStyle(node).unicodeBidi)
            && !node.closest('option, title')).map(node => node.outerHTML.slice(0, 120))"""
    )
    assert turning == [], screen
