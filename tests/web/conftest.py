"""A browser for the whole session, a service for each module, a page for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.browser import ARGUMENTS, LATER, DeskServed, expect_browser, served_desk


@pytest.fixture(scope="module")
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskServed]:
    folder: Path = tmp_path_factory.mktemp("desk")
    expect_browser()
    with served_desk(folder, getattr(request.module, "WEEK", LATER)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = expect_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Any, desk: DeskServed) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.goto(desk.start)
    opened.get_by_role("link", name="Open").click()
    opened.locator("[data-key]").first.wait_for()
    yield opened
    context.close()
