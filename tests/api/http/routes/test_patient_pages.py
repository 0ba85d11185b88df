"""The page of a patient's link: what it tells, what may be answered on it, and that looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import factories
from support.factories import at, booking, visit
from support.frontdesk import FrontDesk, front_desk, wanted

from api.store.queries import messages
from api.web.words import load_words


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    week = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    plan = factories.plan(week, booking("v-1", "2026-12-01T09:00"))
    with front_desk(sqlite_url, week, plan) as desk:
        yield desk


@pytest.fixture
def address(desk: FrontDesk) -> str:
    return address_of(desk, "v-1")


def address_of(desk: FrontDesk, visit: str) -> str:
    return "/p/" + desk.link(visit)["Authorization"].removeprefix("Bearer ")


def answer(desk: FrontDesk, address: str, answer: str, **fields: str) -> Any:
    version = fields.pop("version", None) or desk.version("v-1").strip('"').partition(".")[0]
    return desk.client.post(address, data={"answer": answer, "version": version, **fields}, follow_redirects=False)


def tasks(desk: FrontDesk) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = desk.ask("GET", "/v1/tasks").json()["items"]
    return items


def participation(desk: FrontDesk, visit: str = "v-1") -> str | None:
    shown = desk.ask("GET", "/v1/scenarios/test-week/board").json()["visits"]
    return next(item["participation"] for item in shown if item["visit"] == visit)


def test_it_tells_when_where_and_what_to_bring(desk: FrontDesk, address: str) -> None:
    page = desk.client.get(address)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "Tuesday, December 1, 2026" in page.text and "Please arrive at" in page.text
    assert "What to bring" in page.text and "Suite 340" in page.text
    assert "<script" not in page.text and "noindex" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"


def test_it_names_no_patient_and_no_id(desk: FrontDesk, address: str) -> None:
    page = desk.client.get(address).text
    body = page.replace(address, "")
    assert not any(word in body for word in ("v-1", "pat-", "quin", "wang-exam"))
    assert "<title>Your appointment</title>" in page


def test_looking_changes_nothing(desk: FrontDesk, address: str, tmp_path: Path) -> None:
    def dump() -> list[str]:
        connection = desk.context.database.engine.raw_connection()
        try:
            return list(connection.driver_connection.iterdump())  # type: ignore[union-attr]
        finally:
            connection.close()

    before = dump()
    for _ in range(3):
        desk.client.get(address)
        desk.client.head(address)
        desk.client.get(f"{address}/appointment.ics", headers={"Sec-Purpose": "prefetch"})
    assert dump() == before
    answer(desk, address, "accepted")
    assert dump() != before


def test_who_comes_says_so_even_without_an_address(desk: FrontDesk, address: str) -> None:
    assert participation(desk) is None
    noted = answer(desk, address, "accepted")
    assert (noted.status_code, noted.headers["location"]) == (303, f"{address}?said=accepted")
    assert participation(desk) == "accepted"
    assert "look forward" in desk.client.get(noted.headers["location"]).text
    assert tasks(desk) == []
    desk.clock.pass_by(minutes=5)
    assert desk.move("v-1", "2026-12-01T10:00").status_code == 200
    assert participation(desk) != "accepted"  # that was an answer to another time


def test_what_cannot_be_taken_back_is_asked_twice(desk: FrontDesk, address: str) -> None:
    asked = answer(desk, address, "declined")
    assert asked.status_code == 200 and "You cannot come on Tuesday, December 1" in asked.text
    assert (participation(desk), tasks(desk)) == (None, [])
    answer(desk, address, "declined", sure="yes", words="I am ill <b>")
    (task,) = tasks(desk)
    assert (task["kind"], task["subject"], task["words"]) == ("answer-declined", "v-1", "I am ill <b>")
    assert participation(desk) == "declined" and desk.booking("v-1") is not None


def test_another_time_is_a_task_and_the_appointment_stands(desk: FrontDesk, address: str) -> None:
    answer(desk, address, "another-time", sure="yes", words="Only mornings")
    (task,) = tasks(desk)
    assert (task["kind"], task["words"]) == ("another-time", "Only mornings")
    assert desk.booking("v-1") is not None


def times_offered(page: Any) -> list[str]:
    return re.findall(r'name="start" value="([^"]+)"', page.text)


def test_another_time_is_chosen_among_those_that_are_free(desk: FrontDesk, address: str) -> None:
    page = answer(desk, address, "another-time")
    starts = times_offered(page)
    assert 0 < len(starts) <= 5 and starts == sorted(starts)
    assert len({(start[:10], start[11:13] < "12") for start in starts}) == len(starts)  # each on its own half-day
    asked = answer(desk, address, "move", start=starts[-1])
    assert asked.status_code == 200 and "instead?" in asked.text and desk.booking("v-1")["start"] == "2026-12-01T09:00"
    moved = answer(desk, address, "move", start=starts[-1], sure="yes")
    assert (moved.status_code, moved.headers["location"]) == (303, f"{address}?said=move")
    assert desk.booking("v-1")["start"] == starts[-1][:16]
    assert tasks(desk) == [] and "booking.move" in desk.actions("v-1")
    assert "new time" in desk.client.get(moved.headers["location"]).text


@pytest.mark.parametrize("start", ["2026-12-01T09:00:00", "2026-12-01T03:00:00", "nonsense", ""])
def test_no_other_time_can_be_chosen(desk: FrontDesk, address: str, start: str) -> None:
    assert answer(desk, address, "move", start=start, sure="yes").headers["location"].endswith("changed")
    assert desk.booking("v-1")["start"] == "2026-12-01T09:00"


def test_a_time_that_is_gone_is_not_offered_and_not_taken(desk: FrontDesk, address: str) -> None:
    (first, *_) = times_offered(answer(desk, address, "another-time"))
    desk.clock.now = datetime(2026, 11, 30, 20, tzinfo=UTC)
    assert first not in times_offered(answer(desk, address, "another-time"))
    assert answer(desk, address, "move", start=first, sure="yes").headers["location"].endswith("changed")


def test_a_pinned_visit_has_no_other_time(desk: FrontDesk, address: str) -> None:
    assert desk.change("PUT", "pin", "v-1").status_code == 200
    asked = answer(desk, address, "another-time")
    assert asked.status_code == 200 and times_offered(asked) == []


def test_an_answer_to_what_has_changed_is_not_taken(desk: FrontDesk, address: str) -> None:
    noted = answer(desk, address, "accepted", version="77")
    assert noted.headers["location"] == f"{address}?said=changed"
    assert participation(desk) is None
    assert answer(desk, address, "nonsense").headers["location"].endswith("changed")


@pytest.mark.parametrize("version", ["9" * 5_000, "²", "-1"])
def test_a_version_that_is_none_is_another_one(desk: FrontDesk, address: str, version: str) -> None:
    assert answer(desk, address, "accepted", version=version).headers["location"] == f"{address}?said=changed"


def test_the_event_for_the_patients_calendar(desk: FrontDesk, address: str) -> None:
    event = desk.client.get(f"{address}/appointment.ics")
    assert event.headers["content-type"].startswith("text/calendar")
    assert event.text.count("BEGIN:VEVENT") == 1 and "DTSTART;TZID=America/New_York:20261201T" in event.text
    with desk.context.database.reading() as session:
        assert messages.list_invitations_to(session, "pat") == {}


@pytest.mark.parametrize(("said", "stands"), [("take", True), ("leave", False)])
def test_a_freed_place_is_taken_or_left(desk: FrontDesk, said: str, stands: bool) -> None:
    freed = {**wanted("WE 09:00"), "end": at("WE 09:40"), "supervisors": []}
    assert desk.ask("POST", "/v1/scenarios/test-week/freed-places", freed).json()["visit"] == "v-2"
    address = address_of(desk, "v-2")
    page = desk.client.get(address)
    assert "is kept for you until" in page.text and "Take it" in page.text
    version = desk.version("v-2").strip('"').partition(".")[0]
    noted = desk.client.post(address, data={"answer": said, "version": version})
    assert noted.status_code == 200 and load_words()["patient"][f"thanks_{said}"] in noted.text
    assert (desk.booking("v-2") is not None) is stands


def test_a_visit_without_a_place_waits(desk: FrontDesk) -> None:
    page = desk.client.get(address_of(desk, "v-2"))
    assert page.status_code == 200 and "No time is set yet" in page.text


@pytest.mark.parametrize("why", ["revoked", "unknown", "over"])
def test_a_link_that_is_not_good_any_more_says_so_kindly(desk: FrontDesk, address: str, why: str) -> None:
    if why == "revoked":
        link = desk.ask("POST", "/v1/visits/v-1/links", {}).json()
        assert link["url"].endswith(f"/p/{link['secret']}")
        address = f"/p/{link['secret']}"
        desk.ask("DELETE", f"/v1/links/{link['id']}")
    elif why == "unknown":
        address = "/p/cwl_nothing"
    else:
        desk.clock.pass_by(days=40)
    page = desk.client.get(address)
    assert page.status_code == 410 and "<main" in page.text
    assert desk.client.post(address, data={"answer": "accepted"}, follow_redirects=False).status_code == 410


def test_a_form_of_too_many_fields_is_refused(desk: FrontDesk, address: str) -> None:
    more = {f"field-{number}": "1" for number in range(9)}
    assert answer(desk, address, "accepted", **more).status_code == 422
    more.pop("field-8")
    assert answer(desk, address, "accepted", **more).status_code == 303


def test_a_link_takes_only_so_many_answers_a_minute(desk: FrontDesk, address: str) -> None:
    at_most = 3 * desk.context.settings.log_ins_per_minute
    codes = (answer(desk, address, "another-time").status_code for _ in range(at_most))
    assert next(code for code in codes if code != 200) == 429
    assert desk.client.get(address).status_code == 200
