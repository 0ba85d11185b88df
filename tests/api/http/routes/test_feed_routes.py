"""Feeds over HTTP: one secret for each person and feed, what a poll is answered, and what never happens to a good address."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from support import factories
from support.factories import booking, group, reserve, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.service import CHEAP, PASSWORD
from support.stored import NOW

from api.access.actor import AccessRole
from api.access.credentials import hash_secret
from api.services.accounts.accounts import SYSTEM, AccountChange, NewAccount, add_account, change_account
from api.services.calendars import feeds as service
from api.store import audit
from api.store.database import Database
from api.store.errors import StoreBusy
from api.store.queries import accounts, bookings, feeds
from scheduling.scenario import Scenario

KINDS = {"provider": "ana", "room": "wang-exam-1", "group": "coping", "location": "wang"}


@pytest.fixture
def week() -> Scenario:
    return factories.scenario(
        visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), group("coping", "quin", "sol"), reserve("hold-1", "WE")
    )


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    made = factories.plan(
        week,
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
        session("coping", "TH 09:00", "quin sol"),
        booking("hold-1", "WE 13:00", team="dee"),
    )
    with front_desk(sqlite_url, week, made) as desk:
        yield desk


def subscribed(desk: FrontDesk, kind: str = "provider", subject: str | None = None) -> str:
    """Make a feed; return the path of its address."""
    answer = desk.ask("POST", "/v1/feeds", {"kind": kind, "subject": subject or KINDS[kind]})
    assert answer.status_code == 201, answer.text
    return urlsplit(answer.json()["url"]).path


def poll(desk: FrontDesk, path: str, method: str = "GET", **headers: str) -> Any:
    """Poll as a calendar program does: without any other credential."""
    return desk.client.request(
        method, path, headers={"accept-encoding": "identity", **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_feed_shows_what_is_published(desk: FrontDesk, kind: str) -> None:
    answer = poll(desk, subscribed(desk, kind))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    events = answer.text.count("BEGIN:VEVENT")
    assert events == {"provider": 1, "room": 2, "group": 1, "location": 4}[kind]
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M" in answer.text and "X-PUBLISHED-TTL" in answer.text


def test_a_feed_that_becomes_empty_says_so_since_programs_would_keep_what_was_in_it_last(desk: FrontDesk) -> None:
    path = subscribed(desk)
    assert desk.cancel("v-1").status_code == 200
    (summary,) = (line for line in poll(desk, path).text.split("\r\n") if line.startswith("SUMMARY:"))
    assert summary == "SUMMARY:Nothing is booked"
    assert desk.book("v-1", "WE 09:00").status_code == 201
    again = poll(desk, path).text
    assert again.count("BEGIN:VEVENT") == 1 and "Nothing is booked" not in again


def test_a_patients_feed_shows_their_own_appointments_by_a_signed_link(desk: FrontDesk) -> None:
    made = desk.ask("POST", "/v1/patients/quin/feeds")
    assert made.status_code == 201, made.text
    answer = poll(desk, urlsplit(made.json()["url"]).path)
    assert (answer.status_code, answer.text.count("BEGIN:VEVENT")) == (200, 2)


def test_a_signature_of_another_link_opens_nothing(desk: FrontDesk) -> None:
    first, second = (urlsplit(desk.ask("POST", f"/v1/patients/{who}/feeds").json()["url"]).path for who in ("quin", "pat"))
    forged = first.split(".")[0] + "." + second.split(".", 1)[1]
    assert poll(desk, forged).status_code == 404


def test_the_secret_is_told_once_and_kept_as_a_hash(desk: FrontDesk) -> None:
    path = subscribed(desk)
    secret = path.rpartition("/")[2].removesuffix(".ics")
    assert len(secret) == len("cwf_") + 43
    (listed,) = desk.ask("GET", "/v1/feeds").json()["items"]
    assert secret not in str(listed) and "url" not in listed
    with desk.context.database.reading() as rows:
        row = feeds.get_feed(rows, listed["id"])
        assert (row.secret_hash, secret in str(row.model_dump())) == (hash_secret(secret), False)
        assert secret not in str([one.model_dump() for one in audit.list_entries(rows, count=1000)])


def test_each_subscription_has_a_secret_of_its_own_and_both_show_the_same(desk: FrontDesk) -> None:
    first, second = subscribed(desk), subscribed(desk)
    assert first != second
    assert poll(desk, first).headers["etag"] == poll(desk, second).headers["etag"]


def test_who_has_a_copy_is_told_that_it_still_holds(desk: FrontDesk) -> None:
    path = subscribed(desk)
    first = poll(desk, path)
    again = poll(desk, path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in ("etag", "vary", "last-modified")] == [
        first.headers[name] for name in ("etag", "vary", "last-modified")
    ]
    assert first.headers["etag"].startswith('"') and not first.headers["etag"].startswith("W/")
    for known in (f'"other", {first.headers["etag"]}', f"W/{first.headers['etag']}", "*"):
        assert poll(desk, path, if_none_match=known).status_code == 304
    assert poll(desk, path, if_none_match='"other"').status_code == 200
    assert poll(desk, path, if_modified_since=first.headers["last-modified"]).status_code == 304
    assert poll(desk, path, if_modified_since="Mon, 02 Jan 2006 15:04:05 GMT").status_code == 200
    assert poll(desk, path, if_modified_since="yesterday").status_code == 200
    # A tag goes before a date (RFC 9110, section 13.2.2).
    both = {"if_none_match": '"other"', "if_modified_since": first.headers["last-modified"]}
    assert poll(desk, path, **both).status_code == 200


def test_compressed_it_is_the_same_calendar_with_a_tag_of_its_own(desk: FrontDesk) -> None:
    path = subscribed(desk)
    plain, packed = poll(desk, path), poll(desk, path, accept_encoding="br, gzip;q=0.8")
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert packed.text == plain.text and "content-encoding" not in plain.headers
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0))
    assert poll(desk, path, accept_encoding="gzip", if_none_match=packed.headers["etag"]).status_code == 304
    assert "content-encoding" not in poll(desk, path, accept_encoding="gzip;q=0").headers


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_head_has_the_same_headers_and_no_calendar(desk: FrontDesk, encoding: str) -> None:
    path = subscribed(desk)
    got, head = poll(desk, path, accept_encoding=encoding), poll(desk, path, "HEAD", accept_encoding=encoding)
    names = ("content-type", "content-length", "etag", "last-modified", "vary", "cache-control")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "PROPFIND", "MKCALENDAR"])
def test_writing_is_not_allowed(desk: FrontDesk, method: str) -> None:
    answer = poll(desk, subscribed(desk), method)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_an_unknown_address_is_not_found_and_guessing_is_limited(desk: FrontDesk) -> None:
    path = subscribed(desk)
    secret = path.rpartition("/")[2]
    wrong = ["/calendars/provider/cwf_nobody.ics", f"/calendars/room/{secret}", f"/calendars/anything/{secret}"]
    for one in wrong:
        answer = poll(desk, one)
        assert answer.status_code == 404 and "cwf_" not in answer.text
    statuses = {poll(desk, f"/calendars/provider/cwf_{number}.ics").status_code for number in range(80)}
    assert statuses == {404, 429}
    assert poll(desk, path).status_code == 200


def test_a_feed_that_is_polled_without_a_pause_is_slowed(desk: FrontDesk) -> None:
    path, other = subscribed(desk), subscribed(desk)
    statuses = [poll(desk, path).status_code for _ in range(desk.context.settings.feed_polls_per_minute + 1)]
    assert statuses[-1] == 429 and set(statuses[:-1]) == {200}
    assert poll(desk, other).status_code == 200


def test_a_revoked_feed_says_so_for_a_while_and_is_gone_then(desk: FrontDesk) -> None:
    path, other = subscribed(desk), subscribed(desk)
    before = poll(desk, path)
    identifier = desk.ask("GET", "/v1/feeds").json()["items"]
    with desk.context.database.looking() as rows:
        found = feeds.find_subscription(rows, "provider", hash_secret(path.rpartition("/")[2].removesuffix(".ics")), NOW.date())
    assert found is not None
    row, _ = found
    assert row.id in {one["id"] for one in identifier}
    assert desk.ask("DELETE", f"/v1/feeds/{row.id}").status_code == 204
    ended = poll(desk, path, if_none_match=before.headers["etag"])
    assert (ended.status_code, ended.text.count("BEGIN:VEVENT")) == (200, 1)
    assert poll(desk, path, if_none_match=ended.headers["etag"]).status_code == 304
    desk.clock.pass_by(days=desk.context.settings.feed_farewell_days)
    assert poll(desk, path).status_code == 410
    assert poll(desk, other).status_code == 200


def test_what_another_process_changes_or_ends_is_seen_at_once(desk: FrontDesk, week: Scenario, sqlite_url: str) -> None:
    path = subscribed(desk)
    before = poll(desk, path)
    assert poll(desk, path, if_none_match=before.headers["etag"]).status_code == 304
    other = Database(sqlite_url)
    try:
        with other.writing() as rows:
            (stood,) = (row for row in bookings.list_rows(rows, week.id) if row.subject_id == "v-1")
            bookings.cancel(rows, stood.id, desk.clock())
        changed = poll(desk, path, if_none_match=before.headers["etag"])
        assert (changed.status_code, "Nothing is booked" in changed.text) == (200, True)
        with other.writing() as rows:
            (row,) = feeds.list_feeds(rows, None, "", 10)
            service.end_feed(rows, SYSTEM, row.id, desk.clock())
        ended = poll(desk, path, if_none_match=changed.headers["etag"])
        assert (ended.status_code, "This calendar has ended" in ended.text) == (200, True)
    finally:
        other.close()


def test_a_change_is_seen_at_the_next_poll_by_those_whom_it_concerns_alone(desk: FrontDesk) -> None:
    ana, ben = subscribed(desk), subscribed(desk, subject="ben")
    before = {path: poll(desk, path) for path in (ana, ben)}
    desk.clock.pass_by(minutes=5)
    assert desk.move("v-1", "WE 09:00").status_code == 200
    after = {path: poll(desk, path) for path in (ana, ben)}
    assert after[ana].headers["etag"] != before[ana].headers["etag"]
    assert after[ana].headers["last-modified"] != before[ana].headers["last-modified"]
    assert [after[ben].headers[name] for name in ("etag", "last-modified")] == [
        before[ben].headers[name] for name in ("etag", "last-modified")
    ]


def test_the_last_good_copy_is_given_when_a_new_one_cannot_be_made(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = subscribed(desk)
    good = poll(desk, path)

    def broken(*_: Any) -> bytes:
        raise ValueError("a defect")

    monkeypatch.setattr(service, "render_calendar", broken)
    desk.move("v-1", "WE 09:00")
    answer = poll(desk, path)
    assert (answer.status_code, answer.headers["etag"]) == (200, good.headers["etag"])
    assert "a feed cannot be rendered" in caplog.text
    desk.context.feeds.feeds.clear()  # as after a restart
    assert poll(desk, path).headers["etag"] == good.headers["etag"]


def test_what_polls_have_brought_is_written_together_and_at_most_once_a_minute(desk: FrontDesk) -> None:
    paths = [subscribed(desk, kind) for kind in KINDS]

    def kept() -> dict[str, str]:
        with desk.context.database.reading() as rows:
            copies = {kind: feeds.find_copy(rows, kind, subject) for kind, subject in KINDS.items()}
        return {kind: copy.content.decode() for kind, copy in copies.items() if copy is not None}

    def given() -> dict[str, str]:
        return {kind: poll(desk, path).text for kind, path in zip(KINDS, paths, strict=True)}

    before = given()
    assert kept() == before
    desk.move("v-1", "WE 09:00")
    after = given()
    assert after["provider"] != before["provider"] and kept() == before
    desk.clock.pass_by(minutes=1)
    assert given() == after == kept()


def test_a_process_that_starts_writes_no_copy_that_the_store_has(desk: FrontDesk) -> None:
    path, other = subscribed(desk), subscribed(desk, "room")
    for _ in range(2):
        assert [poll(desk, one).status_code for one in (path, other)] == [200, 200]
        desk.clock.pass_by(minutes=1)
    desk.context.feeds.feeds.clear()  # as after a restart
    poll(desk, path)
    assert desk.context.feeds.drain(desk.clock()) == ({}, [])
    desk.move("v-1", "WE 09:00")
    poll(desk, path)
    copies, _ = desk.context.feeds.drain(desk.clock())
    assert list(copies) == [("provider", "ana")]


def test_the_last_good_copy_is_given_when_the_store_does_not_answer(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = subscribed(desk)
    good = poll(desk, path)

    def busy(*_: Any) -> Any:
        raise StoreBusy

    for way in ("looking", "reading", "writing"):
        monkeypatch.setattr(desk.context.database, way, busy)
    assert poll(desk, path).headers["etag"] == good.headers["etag"]


def test_no_secret_is_written_to_any_log(desk: FrontDesk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = subscribed(desk)
    secret = path.rpartition("/")[2].removesuffix(".ics")
    for method in ("GET", "HEAD", "PUT"):
        poll(desk, path, method)
    poll(desk, path.replace("provider", "room"))
    said = [
        record.getMessage() + str(record.__dict__.get("fields")) for record in caplog.records if record.name.startswith("api")
    ]
    assert said and not any(secret in line for line in said)


def test_its_use_is_noted_once_a_day(desk: FrontDesk) -> None:
    path = subscribed(desk)
    for _ in range(3):
        poll(desk, path)
    (listed,) = desk.ask("GET", "/v1/feeds").json()["items"]
    assert listed["last_used_at"] is not None
    with desk.context.database.reading() as rows:
        actions = [row.action for row in audit.list_entries(rows, count=1000)]
    assert (actions.count("feed.add"), actions.count("feed.read")) == (1, 1)


def test_clinicians_subscribe_to_their_own_calendar_and_see_and_end_their_own_feeds(desk: FrontDesk) -> None:
    ask = partial(desk.ask, headers=desk.clinician)
    assert ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).status_code == 201
    assert ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ben"}).status_code == 403
    for kind in ("room", "group", "location", "patient", "", None, ["provider"], {"provider": 1}):
        assert ask("POST", "/v1/feeds", {"kind": kind, "subject": "ana"}).status_code == 403
    assert ask("POST", "/v1/feeds", {"subject": "ana"}).status_code == 403
    subscribed(desk)
    (own,) = ask("GET", "/v1/feeds").json()["items"]
    others = [one["id"] for one in desk.ask("GET", "/v1/feeds").json()["items"]]
    assert own["id"] not in others
    assert ask("DELETE", f"/v1/feeds/{others[0]}").status_code == 403
    assert ask("DELETE", f"/v1/feeds/{own['id']}").status_code == 204


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_feed_of_what_is_not_there(desk: FrontDesk, kind: str) -> None:
    assert desk.ask("POST", "/v1/feeds", {"kind": kind, "subject": "nobody"}).status_code == 404


def test_a_closed_accounts_feeds_end(desk: FrontDesk) -> None:
    path = subscribed(desk)
    with desk.context.database.writing() as rows:
        for role in (AccessRole.ADMIN, AccessRole.SCHEDULER):
            if (row := accounts.find_account_by_name(rows, role)) is None:
                new = NewAccount(role.value, role)
                row = add_account(rows, SYSTEM, new, CHEAP.hash(PASSWORD), None, NOW)
        change_account(rows, SYSTEM, row.id, row.version, AccountChange(is_active=False), None, NOW)
    desk.clock.now = NOW + timedelta(days=40)
    assert poll(desk, path).status_code == 410
