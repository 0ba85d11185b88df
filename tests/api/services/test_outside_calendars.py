"""A provider's calendar elsewhere becomes busy time, is read again and again, and tells staff where it meets a visit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import select
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk

from api.runtime.fetching import Fetched, Fetcher, Unfetchable
from api.services.calendars.outside import refresh
from api.store import audit
from api.store.queries import periods
from api.store.tables import BusyRow, OutsideCalendarRow

URL = "https://calendars.example/ana.ics?key=a-secret-of-anas"


def events(*stretches: tuple[str, str], more: str = "") -> str:
    """Write a calendar of events in UTC: ``("20261201T150000Z", "20261201T160000Z")``."""
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}@elsewhere\r\nDTSTAMP:20261120T000000Z\r\nDTSTART:{begin}\r\nDTEND:{end}\r\n{more}"
        f"SUMMARY:Lunch with Robin\r\nEND:VEVENT\r\n"
        for number, (begin, end) in enumerate(stretches)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//elsewhere//EN\r\n{body}END:VCALENDAR\r\n"


TEN = ("20261201T150000Z", "20261201T160000Z")
ELEVEN = ("20261201T160000Z", "20261201T170000Z")


@dataclass
class Elsewhere:
    """What is read at addresses, in place of the internet."""

    content: str = events(TEN)
    failure: str | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def fetch(self, url: str, etag: str | None = None) -> Fetched:
        self.asked.append((url, etag))
        if self.failure is not None:
            raise Unfetchable(self.failure)
        tag = f'"{hash(self.content)}"'
        return Fetched(None if etag == tag else self.content.encode(), tag)


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def desk(sqlite_url: str, elsewhere: Elsewhere) -> Iterator[FrontDesk]:
    """Return a week in which ana sees v-1 on Tuesday at ten; addresses are read elsewhere."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    made = factories.plan(asked, booking("v-1", "TU 10:00"), booking("v-2", "TU 11:30", "wang-exam-2"))
    with front_desk(sqlite_url, asked, made) as desk:
        desk.context.fetcher = elsewhere
        yield desk


def add(desk: FrontDesk, **body: Any) -> Any:
    return desk.ask("POST", "/v1/providers/ana/outside-calendars", {"name": "at home", **body})


def busy(desk: FrontDesk) -> list[tuple[str, str]]:
    """Return when ana is busy by calendars elsewhere."""
    with desk.context.database.reading() as rows:
        found = rows.exec(select(BusyRow).where(BusyRow.provider_id == "ana", BusyRow.source != "scenario"))
        return sorted((f"{one.starts_at:%a %H:%M}", f"{one.ends_at:%a %H:%M}") for one in found)


def tasks(desk: FrontDesk) -> list[tuple[str, str]]:
    return [(one["kind"], one["subject"]) for one in desk.ask("GET", "/v1/tasks").json()["items"]]


def version(desk: FrontDesk) -> int:
    with desk.context.database.reading() as rows:
        return periods.get_period(rows, "test-week").version


def test_a_file_becomes_busy_time_of_the_week_and_meets_a_visit(desk: FrontDesk) -> None:
    before = version(desk)
    answer = add(desk, content=events(TEN))
    assert (answer.status_code, answer.json()["kind"]) == (201, "file"), answer.text
    assert busy(desk) == [("Tue 15:00", "Tue 16:00")]
    assert tasks(desk) == [("busy-conflict", "v-1")] and version(desk) > before
    ana = next(one for one in desk.ask("GET", "/v1/scenarios/test-week").json()["providers"] if one["id"] == "ana")
    assert {"start": "2026-12-01T10:00", "end": "2026-12-01T11:00"} in ana["busy"]


def test_nothing_of_it_is_kept_but_when_it_is(desk: FrontDesk) -> None:
    add(desk, url=URL)
    with desk.context.database.reading() as rows:
        kept = str([one.model_dump() for one in rows.exec(select(OutsideCalendarRow))])
        kept += str([one.model_dump() for one in rows.exec(select(BusyRow))])
        kept += str([one.model_dump() for one in audit.list_entries(rows, count=1000)])
    assert "Robin" not in kept and "a-secret-of-anas" not in kept
    listed = desk.ask("GET", "/v1/providers/ana/outside-calendars").text
    assert "at home" in listed and "a-secret-of-anas" not in listed


def test_an_address_is_read_again_when_it_is_due_and_only_a_change_is_news(desk: FrontDesk, elsewhere: Elsewhere) -> None:
    assert add(desk, url=URL).json()["kind"] == "address"
    assert refresh(desk.context, desk.context.fetcher) == 0
    before = version(desk)
    for _ in range(2):
        desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
        assert refresh(desk.context, desk.context.fetcher) == 1
    assert (version(desk), tasks(desk)) == (before, [("busy-conflict", "v-1")])
    assert elsewhere.asked[-1][1] is not None
    elsewhere.content = events(TEN, ELEVEN)
    desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
    refresh(desk.context, desk.context.fetcher)
    assert busy(desk) == [("Tue 15:00", "Tue 17:00")]
    assert version(desk) > before and ("busy-conflict", "v-2") in tasks(desk)


def test_what_cannot_be_read_leaves_what_was_read_and_is_asked_ever_less_often(desk: FrontDesk, elsewhere: Elsewhere) -> None:
    add(desk, url=URL)
    elsewhere.failure = "the server answered 503"
    waits = []
    for _ in range(8):
        with desk.context.database.reading() as rows:
            (row,) = rows.exec(select(OutsideCalendarRow)).all()
        waits.append(row.due_at - desk.clock())
        desk.clock.now = row.due_at
        assert refresh(desk.context, desk.context.fetcher) == 1
    assert busy(desk) == [("Tue 15:00", "Tue 16:00")]
    assert waits == sorted(waits) and waits[-1] > 4 * waits[0]
    (shown,) = desk.ask("GET", "/v1/providers/ana/outside-calendars").json()["items"]
    assert shown["failure"] == "the server answered 503"


def test_a_calendar_that_meets_a_defect_fails_alone_and_is_asked_again_later(desk: FrontDesk, elsewhere: Elsewhere) -> None:
    for name in ("broken", "sound"):
        assert add(desk, name=name, url=f"https://calendars.example/{name}.ics").status_code == 201
    read = elsewhere.fetch

    def fetch(url: str, etag: str | None = None) -> Fetched:
        if "broken" in url:
            raise ValueError(url)
        return read(url, etag)

    desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
    before = len(elsewhere.asked)
    elsewhere.fetch = fetch  # type: ignore[method-assign]
    assert refresh(desk.context, desk.context.fetcher) == 2
    shown = {one["name"]: one["failure"] for one in desk.ask("GET", "/v1/providers/ana/outside-calendars").json()["items"]}
    assert shown == {"broken": "it cannot be read", "sound": None}
    assert len(elsewhere.asked) == before + 1
    assert refresh(desk.context, desk.context.fetcher) == 0


@pytest.mark.parametrize("content", ["", "<html>log in first</html>", "BEGIN:VCALENDAR\r\n"])
def test_what_is_no_calendar_is_refused_at_once_or_left_later(desk: FrontDesk, elsewhere: Elsewhere, content: str) -> None:
    assert add(desk, content=content).status_code == 422
    assert add(desk, url=URL).status_code == 201
    elsewhere.content = content
    desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
    refresh(desk.context, desk.context.fetcher)
    assert busy(desk) == [("Tue 15:00", "Tue 16:00")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": URL, "content": events(TEN)},
        {"url": "http://calendars.example/a.ics"},
        {"url": "https://user:secret@calendars.example/a.ics"},
    ],
)
def test_what_is_not_one_https_address_or_one_file_is_refused(desk: FrontDesk, elsewhere: Elsewhere, body: Any) -> None:
    assert add(desk, **body).status_code == 422
    assert elsewhere.asked == []


def test_an_address_inside_is_refused_and_says_no_more_than_that(desk: FrontDesk) -> None:
    desk.context.fetcher = Fetcher(1000, 5.0)
    for url in (
        "https://127.0.0.1/a.ics",
        "https://[::1]/a.ics",
        "https://[::ffff:127.0.0.1]/a.ics",
        "https://2130706433/a.ics",
    ):
        answer = add(desk, url=url)
        assert (answer.status_code, answer.json()["errors"]) == (
            422,
            [{"path": "url", "detail": "the name is not one of the public internet"}],
        )


def test_a_calendar_that_is_read_no_more_takes_its_busy_times_along(desk: FrontDesk) -> None:
    made = add(desk, url=URL).json()
    before = version(desk)
    assert desk.ask("DELETE", f"/v1/outside-calendars/{made['id']}").status_code == 204
    assert busy(desk) == [] and version(desk) > before
    assert desk.ask("DELETE", f"/v1/outside-calendars/{made['id']}").status_code == 404


def test_a_clinician_reads_their_own_calendar_alone(desk: FrontDesk) -> None:
    mine = desk.ask("POST", "/v1/providers/ana/outside-calendars", {"name": "mine", "content": events(TEN)}, desk.clinician)
    bens = desk.ask("POST", "/v1/providers/ben/outside-calendars", {"name": "his", "content": events(TEN)})
    assert (mine.status_code, bens.status_code) == (201, 201)
    assert desk.ask("DELETE", f"/v1/outside-calendars/{bens.json()['id']}", headers=desk.clinician).status_code == 403
    assert desk.ask("GET", "/v1/providers/ben/outside-calendars", headers=desk.clinician).status_code == 403
    assert desk.ask("DELETE", f"/v1/outside-calendars/{mine.json()['id']}", headers=desk.clinician).status_code == 204


# --- what cannot be understood ---------------------------------------------------------------------------------------

ODD = events(TEN).replace("DTEND:20261201T160000Z", "DTEND:None")


def listed(desk: FrontDesk) -> list[Any]:
    return list(desk.ask("GET", "/v1/providers/ana/outside-calendars").json()["items"])


def test_what_cannot_be_understood_is_busy_and_told_in_the_answer_the_list_a_task_and_a_metric(desk: FrontDesk) -> None:
    answer = add(desk, content=ODD).json()
    part = {"property": "DTEND", "start": "2026-12-01T15:00:00Z"}
    assert (answer["unread"], answer["unread_parts"]) == (1, [part])
    assert [(shown["unread"], shown["unread_parts"]) for shown in listed(desk)] == [(1, [part])]
    assert busy(desk) == [("Tue 15:00", "Tue 16:00")]
    (task,) = [task for task in desk.ask("GET", "/v1/tasks").json()["items"] if task["kind"] == "outside-unread"]
    assert (task["subject"], task["detail"]["unread"], task["detail"]["provider"]) == (answer["id"], 1, "ana")
    assert task["detail"]["added_by"]
    assert b"clinicweave_outside_unread_parts_total 1.0" in desk.context.metrics.text()


def test_a_calendar_that_is_read_whole_says_so(desk: FrontDesk) -> None:
    assert (add(desk, content=events(TEN)).json()["unread"], tasks(desk)) == (0, [("busy-conflict", "v-1")])


def test_what_stays_unread_is_one_task_and_none_once_it_is_done(desk: FrontDesk, elsewhere: Elsewhere) -> None:
    elsewhere.content = ODD
    add(desk, url=URL)

    def unread_tasks() -> list[Any]:
        return [task for task in desk.ask("GET", "/v1/tasks").json()["items"] if task["kind"] == "outside-unread"]

    def read_again(content: str) -> None:
        elsewhere.content = content
        desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
        refresh(desk.context, desk.context.fetcher)

    read_again(ODD + "\r\n")
    read_again(ODD.replace("END:VCALENDAR", "BEGIN:VEVENT\r\nDTSTART:TBD\r\nEND:VEVENT\r\nEND:VCALENDAR"))
    (task,) = unread_tasks()
    assert task["detail"]["unread"] == 2
    etag = desk.ask("GET", f"/v1/tasks/{task['id']}").headers["etag"]
    assert desk.ask("PUT", f"/v1/tasks/{task['id']}/done", headers={**desk.scheduler, "If-Match": etag}).status_code == 200
    read_again(elsewhere.content + "\r\n")
    assert unread_tasks() == []


def test_days_to_come_are_looked_at_although_the_server_says_that_nothing_has_changed(
    desk: FrontDesk, elsewhere: Elsewhere
) -> None:
    add(desk, url=URL)
    tags = []
    for _ in range(3):
        desk.clock.pass_by(hours=13)
        refresh(desk.context, desk.context.fetcher)
        tags.append(elsewhere.asked[-1][1] is not None)
    assert tags == [False, True, False]


# --- the clinic's own events -----------------------------------------------------------------------------------------


def test_the_clinics_own_events_that_come_back_are_no_busy_time_and_no_task(desk: FrontDesk) -> None:
    url = desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).json()["url"]
    own = desk.client.get(url.removeprefix("http://testserver")).text
    assert "BEGIN:VEVENT" in own
    answer = add(desk, content=own)
    assert (answer.status_code, busy(desk), tasks(desk)) == (201, [], [])
    theirs = own.replace("@clinicweave", "@elsewhere").replace("UID:", "UID:0")
    assert add(desk, content=theirs).status_code == 201
    assert busy(desk) != []
    assert sorted(tasks(desk)) == [("busy-conflict", "v-1"), ("busy-conflict", "v-2")]


def test_another_clinics_events_of_the_same_program_are_busy_time(desk: FrontDesk) -> None:
    add(desk, content=events(TEN).replace("0@elsewhere", f"{'0' * 32}@clinicweave"))
    assert busy(desk) == [("Tue 15:00", "Tue 16:00")]
