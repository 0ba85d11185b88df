"""The pages of a patient's link: looking changes nothing, and they tell of nobody else; all of it without a script."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from support.browser import DeskServed, planned_week

OWN = {"Sec-Fetch-Site": "same-origin"}
PREFETCH = {"Sec-Purpose": "prefetch", "Purpose": "prefetch"}
LOOKS = (("GET", {}), ("HEAD", {}), ("GET", PREFETCH))


@pytest.fixture
def visit() -> Any:
    """Return the last visit of the week."""
    return max(planned_week()[1].visits, key=lambda booking: booking.start)


@pytest.fixture
def address(page: Any, desk: DeskServed, visit: Any) -> str:
    """Return the address of its patient's page, as the desk gives it."""
    made = page.request.post(f"{desk.address}/v1/visits/{visit.visit}/links", data={}, headers=OWN)
    return f"{desk.address}/p/{made.json()['secret']}"


def dump(desk: DeskServed) -> list[str]:
    """Return all that is stored, but for when a session was used last."""
    with closing(sqlite3.connect(desk.file)) as store:
        return list(store.iterdump())


def addresses_of(address: str) -> list[str]:
    return [address, f"{address}?said=accepted", f"{address}?said=changed", f"{address}/appointment.ics"]


def test_looking_prefetching_and_asking_for_heads_change_nothing(address: str, desk: DeskServed) -> None:
    before = dump(desk)
    with desk.client() as client:
        for path in addresses_of(address) * 3:
            for method, headers in LOOKS:
                answer = client.request(method, path, headers=headers)
                assert answer.is_success and (answer.content == b"") is (method == "HEAD"), (method, path)
        assert dump(desk) == before
        version = re.search(r'name="version" value="(\d+)"', client.get(address).text)
        assert version is not None
        client.post(address, data={"answer": "accepted", "version": version[1]}, headers=OWN)
    assert dump(desk) != before, "an answer is kept"


def test_they_tell_of_nobody_else_and_by_no_id(browser: Any, address: str, desk: DeskServed, visit: Any) -> None:
    """What is written is read, and the source as it is sent, without the address itself."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    seen = [page.locator("body").inner_text(), page.content().replace(address.rsplit("/", 1)[1], "")]
    page.get_by_role("button", name="Another time, please").click()
    page.get_by_text("These times are free").wait_for()
    seen += [page.locator("body").inner_text(), page.content().replace(address.rsplit("/", 1)[1], "")]
    title = page.title()
    context.close()
    patient = {asked.id: asked.patient for asked in desk.scenario.visits}[visit.visit]
    others = [known.name for known in desk.scenario.patients if known.id != patient]
    ids = [*(known.id for known in desk.scenario.patients), *(asked.id for asked in desk.scenario.visits)]
    ids += [*(provider.id for provider in desk.scenario.providers), *(room.id for room in desk.scenario.clinic.rooms)]
    assert not [name for name in (*others, *ids) if any(re.search(rf"\b{re.escape(name)}\b", text) for text in seen)]
    words = {word for service in desk.scenario.clinic.services for word in re.findall(r"[a-z]{4,}", f"{service.id}")}
    assert not words & set(re.findall(r"[a-z]+", title.lower())), title
