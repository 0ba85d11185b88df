"""Calendars by CalDAV, in a process of its own: found, read and synchronized by their owners, written by nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic, sleep

import httpx2
import pytest
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import furnish
from support.mailserver import free_port
from support.processes import ROOT, environment
from support.service import Clock
from support.sockets import connected

from api.caldav.server import MAX_CONNECTIONS
from api.store.columns import utc_now
from api.store.database import Database
from api.store.migrations import migrate

PATIENCE_SECONDS = 60
EVERYTHING = """<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop>
<d:getetag/><d:displayname/><d:resourcetype/><d:sync-token/></d:prop></d:propfind>"""
SYNC = """<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:"><d:sync-token>{token}</d:sync-token>
<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Run CalDAV over a published week; return its address and the tokens of a scheduler and of a clinician, ana."""
    url = f"sqlite:///{tmp_path_factory.mktemp('caldav') / 'store.db'}"
    database = Database(url)
    migrate(database)
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), group("coping", "quin", "sol"))
    made = factories.plan(
        asked,
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
        session("coping", "TH 09:00", "quin sol"),
    )
    clock = Clock(utc_now())
    clock.pass_by(seconds=timedelta(days=1).total_seconds())  # so that the tokens are good now
    secrets = furnish(database, asked, made, clock)
    database.close()
    port = free_port()
    command = [sys.executable, "-m", "api.caldav", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=environment(url), cwd=ROOT, stderr=subprocess.DEVNULL)
    end = monotonic() + PATIENCE_SECONDS
    address = f"http://127.0.0.1:{port}"
    while not answers(address):
        assert monotonic() < end and process.poll() is None
        sleep(0.1)
    yield address, *secrets
    process.terminate()
    process.wait(PATIENCE_SECONDS)


def answers(address: str) -> bool:
    try:
        return httpx2.get(address, timeout=5).status_code > 0
    except httpx2.TransportError:
        return False


@pytest.fixture
def ana(running: tuple[str, str, str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running[0], auth=("clinician", running[2]), timeout=30) as client:
        yield client


@pytest.fixture
def dana(running: tuple[str, str, str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running[0], auth=("scheduler", running[1]), timeout=30) as client:
        yield client


def listed(client: httpx2.Client, path: str) -> str:
    answer = client.request("PROPFIND", path, headers={"Depth": "1"}, content=EVERYTHING)
    assert answer.status_code == 207, answer.text
    return answer.text


def hrefs(text: str) -> list[str]:
    return [part.split("</")[0] for part in text.replace("<D:href>", "<href>").split("<href>")[1:]]


def test_a_clinician_finds_their_own_calendar_and_its_events(ana: httpx2.Client) -> None:
    assert hrefs(listed(ana, "/clinician/"))[-1] == "/clinician/provider-ana/"
    events = [href for href in hrefs(listed(ana, "/clinician/provider-ana/")) if href.endswith(".ics")]
    assert len(events) == 1
    event = ana.get(events[0])
    assert event.status_code == 200 and event.text.count("BEGIN:VEVENT") == event.text.count("BEGIN:VTIMEZONE") == 1


def test_a_scheduler_finds_every_calendar_of_staff(dana: httpx2.Client) -> None:
    found = hrefs(listed(dana, "/scheduler/"))
    for name in ("provider-ben", "room-wang-exam-1", "location-wang", "group-coping"):
        assert f"/scheduler/{name}/" in found
    assert not any("patient" in one for one in found)


def test_a_second_synchronization_has_nothing_to_do(ana: httpx2.Client) -> None:
    path = "/clinician/provider-ana/"
    first = ana.request("REPORT", path, content=SYNC.format(token=""))
    assert first.status_code == 207 and first.text.count(".ics") == 1
    token = first.text.split("sync-token>")[1].split("</")[0]
    second = ana.request("REPORT", path, content=SYNC.format(token=token))
    assert second.status_code == 207 and ".ics" not in second.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "MKCALENDAR", "PROPPATCH"])
def test_nothing_is_written(ana: httpx2.Client, method: str) -> None:
    before = listed(ana, "/clinician/provider-ana/")
    new = method in ("PUT", "MKCALENDAR")
    path = f"/clinician/{'new' if method == 'MKCALENDAR' else 'provider-ana'}/{'new.ics' if method == 'PUT' else ''}"
    body = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" if new else ""
    assert ana.request(method, path, content=body).status_code in (403, 405)
    assert listed(ana, "/clinician/provider-ana/") == before


def test_connections_that_say_nothing_keep_nobody_out(running: tuple[str, str, str], ana: httpx2.Client) -> None:
    with ExitStack() as stack:
        port = int(running[0].rsplit(":", 1)[1])
        half = b"PROPFIND /clinician/ HTTP/1.1\r\nHost: c\r\nContent-Length: 100\r\n\r\nhalf"
        for number in range(2 * MAX_CONNECTIONS):
            stack.enter_context(connected(port, half if number % 2 else b""))
        listed(ana, "/clinician/")


def test_nobody_reads_what_is_not_theirs(running: tuple[str, str, str], ana: httpx2.Client) -> None:
    for path in ("/scheduler/", "/scheduler/provider-ben/", "/clinician/provider-ben/"):
        assert ana.request("PROPFIND", path, headers={"Depth": "1"}).status_code in (403, 404)
    for name, secret in (("clinician", running[1]), ("clinician", "cwt_wrong"), ("scheduler", running[2]), ("", "")):
        with httpx2.Client(base_url=running[0], auth=(name, secret), timeout=30) as stranger:
            assert stranger.request("PROPFIND", "/clinician/", headers={"Depth": "1"}).status_code == 401
