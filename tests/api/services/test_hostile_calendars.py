"""Calendar servers that do their worst keep nobody else's calendar from being read, and each says why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from time import monotonic

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.hostile_servers import HOSTILE, CalendarServers, calendar_servers

from api.runtime.fetching import Unfetchable
from api.services.calendars.outside import READERS, refresh

GOOD = ("good-1", "good-2", "good-3")
SECONDS = 1.0
"""How long one reading may take here."""


def calendar(*hours: int) -> bytes:
    lines = "UID:{0}@elsewhere\r\nDTSTART:20261201T{0}0000Z\r\nDURATION:PT1H\r\n"
    events = "".join(f"BEGIN:VEVENT\r\n{lines.format(hour)}END:VEVENT\r\n" for hour in hours)
    return f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n".encode()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[CalendarServers]:
    with calendar_servers(tmp_path, calendar(15)) as servers:
        yield servers


@pytest.fixture
def desk(sqlite_url: str, servers: CalendarServers) -> Iterator[FrontDesk]:
    asked = factories.scenario(visit("v-1", "pat"))
    with front_desk(sqlite_url, asked, factories.plan(asked, booking("v-1", "TU 10:00"))) as desk:
        desk.context.fetcher = servers.fetcher(SECONDS)
        yield desk


@pytest.mark.parametrize("name", HOSTILE)
def test_a_reading_ends_within_its_time_whatever_the_server_does(servers: CalendarServers, name: str) -> None:
    servers.hostile.set()
    if name in ("no-calendar", "too-many-repetitions"):
        assert servers.fetcher(SECONDS).fetch(servers.url(name)).content
        return
    begun = monotonic()
    with pytest.raises(Unfetchable):
        servers.fetcher(SECONDS).fetch(servers.url(name))
    assert monotonic() - begun < SECONDS + 2


def test_control_a_server_that_behaves_is_read(servers: CalendarServers) -> None:
    fetched = servers.fetcher(SECONDS).fetch(servers.url("status-in-drops"))
    assert (fetched.content, fetched.etag) == (servers.content, None)


def test_good_calendars_are_read_in_one_look_beside_twenty_bad_ones_of_which_each_says_why(
    desk: FrontDesk, servers: CalendarServers
) -> None:
    assert len(HOSTILE) >= 20
    desk.context.fetcher = servers.fetcher(10)
    owners = dict(zip(HOSTILE, cycle(("ben", "cy", "dee", "eli")), strict=False)) | dict.fromkeys(GOOD, "ana")
    lists = {owner: f"/v1/providers/{owner}/outside-calendars" for owner in owners.values()}
    for name, owner in owners.items():
        assert desk.ask("POST", lists[owner], {"name": name, "url": servers.url(name)}).status_code == 201
    servers.hostile.set()
    servers.content = calendar(16)
    desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
    begun = monotonic()
    assert refresh(desk.context, servers.fetcher(SECONDS)) == len(HOSTILE) + len(GOOD)
    rounds = (len(HOSTILE) + len(GOOD)) / READERS + 1
    assert monotonic() - begun < rounds * (SECONDS + 2)
    items = [item for path in lists.values() for item in desk.ask("GET", path).json()["items"]]
    shown = {item["name"]: item["failure"] for item in items}
    assert {name for name, failure in shown.items() if failure is None} == set(GOOD)
    assert "it cannot be read" not in shown.values()
    ana = next(one for one in desk.ask("GET", "/v1/scenarios/test-week").json()["providers"] if one["id"] == "ana")
    assert {"start": "2026-12-01T11:00", "end": "2026-12-01T12:00"} in ana["busy"]


def test_those_that_failed_are_read_after_the_others(desk: FrontDesk, servers: CalendarServers) -> None:
    for name in ("error", *GOOD):
        desk.ask("POST", "/v1/providers/ana/outside-calendars", {"name": name, "url": servers.url(name)})
    servers.hostile.set()
    desk.clock.pass_by(minutes=desk.context.settings.outside_minutes)
    refresh(desk.context, servers.fetcher(SECONDS))
    desk.clock.pass_by(hours=24)
    with desk.context.database.reading() as session:
        from api.store.queries import outside

        assert [row.name for row in outside.list_due(session, desk.clock(), 9)][-1] == "error"
