"""The page of somebody of the staff: their days, a calendar to subscribe to, and calendars elsewhere, all without a script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.service import PASSWORD

FACTOR = "/v1/sessions/current/second-factor"
HALF_MINUTE = timedelta(seconds=30)
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    week = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    plan = factories.plan(week, booking("v-1", "MO 10:00"), booking("v-2", "WE 10:00", team="ben", room="wang-exam-2"))
    with front_desk(sqlite_url, week, plan) as desk:
        yield desk


def log_in(desk: FrontDesk, name: str, password: str = PASSWORD, code: str = "") -> Any:
    return desk.client.post("/me/log-in", data={"name": name, "password": password, "code": code}, headers=OWN_PAGE)


def test_who_is_not_logged_in_is_asked_to(desk: FrontDesk) -> None:
    assert 'type="password"' in desk.client.get("/me").text
    wrong = log_in(desk, "clinician", "not this one")
    assert wrong.status_code == 200 and 'role="alert"' in wrong.text
    foreign = desk.client.post(
        "/me/log-in", data={"name": "clinician", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


def test_the_code_of_a_second_factor_is_asked_for_where_there_is_one(desk: FrontDesk) -> None:
    assert 'name="code"' not in desk.client.get("/me").text
    codes = pyotp.TOTP(desk.ask("POST", FACTOR, {"password": PASSWORD}, desk.clinician).json()["secret"])
    assert desk.ask("PUT", FACTOR, {"code": codes.at(desk.clock.now)}, desk.clinician).status_code == 204
    asked = log_in(desk, "clinician")
    assert 'name="code"' in asked.text and 'value="clinician"' in asked.text and PASSWORD not in asked.text
    wrong = log_in(desk, "clinician", code="12345x")
    assert 'name="code"' in wrong.text and "code is wrong" in wrong.text
    assert 'name="code"' not in log_in(desk, "clinician", "not this one").text
    assert "10:00" in log_in(desk, "clinician", code=codes.at(desk.clock.now + HALF_MINUTE)).text


def test_it_shows_the_own_days_and_nobody_elses(desk: FrontDesk) -> None:
    page = log_in(desk, "clinician").text
    assert "Pat" in page and "10:00" in page
    assert "Quin" not in page
    assert "<script" not in page
    assert "own-days.read" in [row for row in desk.actions("ana")]


def test_who_sees_no_patients_is_shown_the_way_to_the_desk(desk: FrontDesk) -> None:
    page = log_in(desk, "scheduler").text
    assert 'href="/"' in page and "Subscribe" not in page


def test_a_calendar_is_subscribed_to_by_its_address_and_revoked(desk: FrontDesk) -> None:
    log_in(desk, "clinician")
    made = desk.client.post("/me/calendars", headers=OWN_PAGE)
    address = made.text.partition('readonly value="')[2].partition('"')[0]
    assert "<svg" in made.text and "webcal://" in made.text
    assert "BEGIN:VCALENDAR" in desk.client.get(address.partition("/calendars")[1] + address.partition("/calendars")[2]).text
    page = desk.client.get("/me").text
    assert address not in page  # it is told once
    ending = page.partition('action="/me/calendars/')[2].partition('"')[0]
    after = desk.client.post(f"/me/calendars/{ending}", headers=OWN_PAGE)
    assert after.status_code == 200 and 'action="/me/calendars/' not in after.text


def test_a_calendar_elsewhere_that_cannot_be_read_is_told(desk: FrontDesk) -> None:
    log_in(desk, "clinician")
    told = desk.client.post("/me/outside-calendars", data={"name": "teaching", "url": "ftp://x"}, headers=OWN_PAGE)
    assert told.status_code == 200 and 'role="alert"' in told.text


def test_a_form_of_another_site_does_nothing(desk: FrontDesk) -> None:
    log_in(desk, "clinician")
    for headers in ({"Origin": "https://evil.example"}, {}):
        assert desk.client.post("/me/calendars", headers=headers).status_code == 403
    assert 'action="/me/calendars/' not in desk.client.get("/me").text


def test_leaving_ends_the_session(desk: FrontDesk) -> None:
    log_in(desk, "clinician")
    assert 'type="password"' in desk.client.post("/me/leaving", headers=OWN_PAGE).text


def make_code(desk: FrontDesk, page: str) -> str:
    secret = page.partition('readonly value="')[2].partition('"')[0].replace(" ", "")
    return pyotp.TOTP(secret).at(desk.context.clock())


def test_a_secret_that_waits_for_its_code_is_not_told_to_a_session_alone(desk: FrontDesk) -> None:
    log_in(desk, "scheduler")
    begun = desk.client.post("/me/second-factor", data={"password": PASSWORD}, headers=OWN_PAGE).text
    secret = begun.partition('name="secret" value="')[2].partition('"')[0]
    for guessed in ({}, {"secret": "JBSWY3DPEHPK3PXP"}):
        shown = desk.client.post("/me/second-factor/code", data={"code": "000000", **guessed}, headers=OWN_PAGE)
        assert shown.url.path == "/me/second-factor" and 'readonly value="' not in shown.text and secret not in shown.text


def test_a_second_factor_is_set_up_on_a_page(desk: FrontDesk) -> None:
    log_in(desk, "scheduler")
    assert 'action="/me/second-factor"' in desk.client.get("/me/second-factor").text
    refused = desk.client.post("/me/second-factor", data={"password": "not this one"}, headers=OWN_PAGE).text
    assert 'role="alert"' in refused and 'type="password"' in refused and "<svg" not in refused.partition("<h1>")[2]
    begun = desk.client.post("/me/second-factor", data={"password": PASSWORD}, headers=OWN_PAGE).text
    assert "<svg" in begun and "otpauth" not in begun.replace("<svg", "")
    secret = begun.partition('name="secret" value="')[2].partition('"')[0]
    told = {"code": "000000", "secret": secret}
    wrong = desk.client.post("/me/second-factor/code", data=told, headers=OWN_PAGE).text
    assert 'role="alert"' in wrong and make_code(desk, wrong) == make_code(desk, begun)
    right = desk.client.post("/me/second-factor/code", data={"code": make_code(desk, begun)}, headers=OWN_PAGE)
    assert str(right.url).endswith("/me/second-factor") and 'action="/me/second-factor"' not in right.text
    assert log_in(desk, "scheduler").text.count('name="code"') == 1


@pytest.mark.parametrize("field", ["name", "password"])
def test_a_form_with_what_no_database_keeps_is_refused(desk: FrontDesk, field: str) -> None:
    told = {"name": "scheduler", "password": PASSWORD, field: "a\0b"}
    assert desk.client.post("/me/log-in", data=told, headers=OWN_PAGE).status_code == 422
