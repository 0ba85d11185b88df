"""The code of a second factor is asked for on the page where there is one, and a wrong one is said in words."""

from __future__ import annotations

from time import time
from typing import Any

import pyotp
from support.browser import DeskServed, find_faults

FACTOR = "/v1/sessions/current/second-factor"
OWN = {"Sec-Fetch-Site": "same-origin"}


def test_a_code_is_asked_for_where_there_is_a_second_factor(page: Any, browser: Any, desk: DeskServed) -> None:
    begun = page.request.post(f"{desk.address}{FACTOR}", data={"password": desk.password}, headers=OWN).json()
    codes = pyotp.TOTP(begun["secret"])
    assert page.request.put(f"{desk.address}{FACTOR}", data={"code": codes.now()}, headers=OWN).status == 204
    context = browser.new_context()
    fresh = context.new_page()
    fresh.goto(desk.address)
    fresh.get_by_label("Name").fill("demo")
    assert fresh.get_by_label("One-time code").count() == 0
    fresh.get_by_label("Pass phrase").fill(desk.password)
    fresh.keyboard.press("Enter")
    fresh.get_by_label("One-time code").fill("12345x")
    fresh.keyboard.press("Enter")
    fresh.get_by_text("The code is wrong").wait_for()
    assert find_faults(fresh) == []
    fresh.get_by_label("One-time code").fill(codes.at(time(), counter_offset=1))  # the present one was taken when it was begun
    fresh.keyboard.press("Enter")
    fresh.get_by_role("link", name="Open").wait_for()
    context.close()
