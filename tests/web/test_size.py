"""The desk is small, as a browser loads it, compressed; pages of patients and staff have no script at all."""

from __future__ import annotations

import gzip

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import front_desk
from support.service import PASSWORD

from api.web.pages import DIST

MAX_BYTES = 120_000


def test_scripts_and_styles_stay_under_the_bound() -> None:
    files = [file for file in DIST.glob("assets/*") if file.suffix in (".js", ".css")]
    if not files:
        pytest.skip("the desk's pages are not built")
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= MAX_BYTES


def test_the_pages_of_patients_and_staff_have_no_script(sqlite_url: str) -> None:
    week = factories.scenario(visit("v-1", "pat"))
    with front_desk(sqlite_url, week, factories.plan(week, booking("v-1", "TU 09:00"))) as desk:
        address = "/p/" + desk.link("v-1")["Authorization"].removeprefix("Bearer ")
        own = {"Sec-Fetch-Site": "same-origin"}
        pages = [desk.client.get(address), desk.client.get("/p/cwl_none"), desk.client.get("/me")]
        pages.append(desk.client.post("/me/log-in", data={"name": "clinician", "password": PASSWORD}, headers=own))
    assert all(page.headers["content-type"].startswith("text/html") for page in pages)
    assert not any(sign in page.text.lower() for page in pages for sign in ("<script", "javascript:", " onclick=", " onload="))
