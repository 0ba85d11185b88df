"""A service killed amid writes: all that it acknowledged is there, nothing is half-written, and it is ready again soon."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event, Semaphore

import httpx2
import pytest
from support import factories
from support.factories import visit
from support.frontdesk import FrontDesk, front_desk, furnish, wanted
from support.processes import Served
from support.races import half_written, overlaps, stopped
from support.service import Clock, bearer
from support.stored import NOW

from api.http.answers import Call
from api.store import audit
from api.store.database import Database
from api.store.epoch import get_epoch
from scheduling.scenario import Scenario

CLIENTS = 8
READY_SECONDS = 10.0
"""Until it listens again. A start takes 2 s of a core, so this holds where tests are not all that the machine does."""
MOST_ANSWERS = 12
"""How many writes are acknowledged at most until the service is killed amid the others."""

PATIENCE_SECONDS = 60.0

PLACES = [f"{day} {hour:02}:00" for day in factories.WORKDAYS for hour in (8, 9, 10, 11)]


@pytest.fixture
def asked() -> Scenario:
    """Return a week in which one visit of each client waits."""
    names = [f"p-{number}" for number in range(CLIENTS)]
    visits = [visit(f"v-{number}", name) for number, name in enumerate(names)]
    return factories.scenario(*visits, patients=[factories.patient(name) for name in names])


@dataclass
class Writer:
    """A client that books and cancels one visit for as long as it can, and remembers what it was told.

    Attributes
    ----------
    told : str or None
        Where the visit stands by the last answer; None: nowhere.
    begun : str or None
        What the request that was not answered would have made of it, if there was one.
    """

    number: int
    told: str | None = None
    begun: str | None = None
    unanswered: bool = False
    wrong: list[str] = field(default_factory=list)

    def write(self, address: str, headers: dict[str, str], answered: Semaphore, stopped: Event) -> None:
        """Write until the service is gone."""
        with httpx2.Client(base_url=address, headers=headers, timeout=30) as client:
            while not stopped.is_set():
                self.begun = None if self.told else factories.at(PLACES[self.number])
                try:
                    answer = self._send(client)
                except httpx2.TransportError:
                    self.unanswered = True
                    return
                if answer.status_code not in (200, 201):
                    self.wrong.append(answer.text)
                    return
                self.told = self.begun
                answered.release()

    def _send(self, client: httpx2.Client) -> httpx2.Response:
        path = f"/v1/visits/v-{self.number}/booking"
        if self.told is None:
            return client.post(path, json=wanted(PLACES[self.number]))
        tag = client.get(path).headers["etag"]
        return client.delete(path, headers={"If-Match": tag})

    def allows(self, stands: str | None) -> bool:
        """Say whether a visit may stand somewhere, and go on from there."""
        allowed = {self.told, self.begun} if self.unanswered else {self.told}
        self.told, self.unanswered = stands, False
        return stands in allowed and not self.wrong


def write_until_killed(service: Served, writers: list[Writer], headers: dict[str, str], answers: int) -> None:
    """Let writers write, and kill the service once some writes are acknowledged."""
    answered, stopped = Semaphore(0), Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        writing = [pool.submit(one.write, service.address, headers, answered, stopped) for one in writers]
        came = all(answered.acquire(timeout=PATIENCE_SECONDS) for _ in range(answers))
        service.kill()
        stopped.set()
        for one in writing:
            one.result()
    assert came, [one.wrong for one in writers]


def standing(database: Database) -> dict[str, str]:
    from api.store.queries import bookings

    with database.reading() as session:
        found = bookings.list_standing(session, "test-week")
        grid = factories.scenario().grid
        return {name: f"{grid.wall(one.row.starts_at):%Y-%m-%dT%H:%M}" for (_, name, _), one in found.items()}


def kill_often(database: Database, asked: Scenario, kills: int, ready_seconds: float) -> None:
    """Kill the service again and again while clients write, and hold the store against what they were told."""
    url, random = database.url.render_as_string(hide_password=False), Random(0)
    scheduler, _ = furnish(database, asked, None, Clock(NOW))
    headers = bearer(scheduler)
    writers = [Writer(number) for number in range(CLIENTS)]
    for _ in range(kills):
        with stopped(url, NOW) as service:
            assert service.seconds < ready_seconds
            assert httpx2.get(f"{service.address}/readyz").status_code == 200
            write_until_killed(service, writers, headers, random.randint(1, MOST_ANSWERS))
        stands = standing(database)
        for one in writers:
            assert one.allows(stands.get(f"v-{one.number}")), (one, stands)
        assert (half_written(database), overlaps(database)) == ([], [])
    with database.reading() as session:
        audit.verify(session)


def test_what_was_acknowledged_outlives_a_kill(store: Database, asked: Scenario) -> None:
    kill_often(store, asked, 2, PATIENCE_SECONDS)


@pytest.mark.heavy
def test_what_was_acknowledged_outlives_fifty_kills(store: Database, asked: Scenario) -> None:
    kill_often(store, asked, 50, READY_SECONDS)


@pytest.fixture
def desk(sqlite_url: str, asked: Scenario) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, asked, None) as desk:
        yield desk


def test_an_answer_before_the_commit_would_be_found(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a writer is told must be kept: here the service answers, and what it has done is undone."""

    def answered_too_soon(call: Call, act: object) -> object:
        with desk.context.database.writing() as session:
            response = act(session).response(get_epoch(session))
            session.rollback()
            return response

    monkeypatch.setattr(Call, "create", answered_too_soon)
    writer = Writer(0)
    writer.told = desk.book("v-0", PLACES[0]).json()["start"]
    assert not writer.allows(standing(desk.context.database).get("v-0"))
