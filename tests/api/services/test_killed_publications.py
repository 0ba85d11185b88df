"""A service killed amid publications, log-ins and audited reads: what it acknowledged is there, and the audit holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event, Semaphore

import httpx2
import pytest
from sqlmodel import col, func, select
from support import factories
from support.factories import booking, visit
from support.frontdesk import furnish
from support.processes import Served
from support.races import overlaps, stopped
from support.service import PASSWORD, Clock, bearer
from support.stored import NOW, StoredWeek

from api.access.credentials import hash_secret
from api.store import audit
from api.store.database import Database
from api.store.tables import AuditRow, PublicationRow, SessionRow

PATIENCE_SECONDS = 300.0
MOST_ANSWERS = 9
VISITS = ("v-1", "v-2", "v-3")
PLANS = ("MO 09:00", "TU 10:00"), ("WE 11:00", "TH 09:00")
"""Where two plans have the first and the second visit; the third waits, and both are published in turn."""


@dataclass
class Told:
    """What clients were told over all lives of the service: publications, sessions, and the number of reads."""

    publications: list[int] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    reads: int = 0
    wrong: list[str] = field(default_factory=list)


Ask = Callable[[httpx2.Client, int], httpx2.Response]


def go_on(service: Served, answered: Semaphore, killed: Event, ask: Ask, note: Callable[[httpx2.Response], None]) -> None:
    """Ask again and again until the service is gone, and note each answer."""
    number = 0
    with httpx2.Client(base_url=service.address, timeout=120) as client:
        while not killed.is_set():
            try:
                answer = ask(client, number)
            except httpx2.TransportError:
                return
            note(answer)
            number += 1
            answered.release()


def ask_until_killed(service: Served, told: Told, asks: dict[str, Ask], answers: int) -> None:
    """Let one client each publish, log in and read, and kill the service once so many answers are there."""
    answered, killed = Semaphore(0), Event()

    def note(answer: httpx2.Response) -> None:
        if not answer.is_success:
            told.wrong.append(f"{answer.request.url.path} {answer.status_code} {answer.text}")
        elif answer.request.url.path == "/v1/publications":
            told.publications.append(answer.json()["id"])
        elif answer.request.url.path == "/v1/sessions":
            told.sessions.append(answer.json()["token"])
        else:
            told.reads += 1

    with ThreadPoolExecutor(len(asks)) as pool:
        asking = [pool.submit(go_on, service, answered, killed, ask, note) for ask in asks.values()]
        came = all(answered.acquire(timeout=PATIENCE_SECONDS) for _ in range(answers))
        killed.set()
        service.kill()
        for client in asking:
            client.result()
    assert came and not told.wrong, told.wrong


def expect_kept(database: Database, told: Told) -> None:
    """Hold the store against what clients were told."""
    with database.reading() as session:
        publications = set(session.exec(select(PublicationRow.id)))
        sessions = set(session.exec(select(SessionRow.secret_hash)))
        reads = session.exec(select(func.count()).where(col(AuditRow.action) == "visit.read")).one()
        audit.verify(session)
    assert publications >= set(told.publications)
    assert sessions >= {hash_secret(token) for token in told.sessions}
    assert reads >= told.reads
    assert overlaps(database) == []


def kill_often(database: Database, kills: int) -> None:
    asked = factories.scenario(
        *(visit(name, f"p-{name}") for name in VISITS), patients=[factories.patient(f"p-{name}") for name in VISITS]
    )
    url, random, told = database.url.render_as_string(hide_password=False), Random(0), Told()
    scheduler, _ = furnish(database, asked, None, Clock(NOW))
    week, headers = StoredWeek(database, asked), bearer(scheduler)
    both = [[booking(name, start) for name, start in zip(VISITS, starts, strict=False)] for starts in PLANS]
    made = [week.made(factories.plan(asked, *wishes)) for wishes in both]
    asks: dict[str, Ask] = {
        "publish": lambda client, number: client.post("/v1/publications", json={"plan": made[number % 2]}, headers=headers),
        "log in": lambda client, _: client.post("/v1/sessions", json={"name": "scheduler", "password": PASSWORD}),
        "read": lambda client, number: client.get(f"/v1/visits/{VISITS[number % 3]}", headers=headers),
    }
    for _ in range(kills):
        with stopped(url, NOW) as service:
            assert httpx2.get(f"{service.address}/readyz").status_code == 200
            ask_until_killed(service, told, asks, random.randint(1, MOST_ANSWERS))
        expect_kept(database, told)
        standing = {one.visit: f"{one.start:%Y-%m-%dT%H:%M}" for one in week.standing().visits}
        assert standing in ({}, *({one.id: factories.at(one.start) for one in wishes} for wishes in both)), "half a plan"
    assert min(len(told.publications), len(told.sessions), told.reads) > 0


@pytest.mark.heavy
@pytest.mark.parametrize("kills", [100])
def test_what_was_published_logged_in_and_read_outlives_a_hundred_kills(store: Database, kills: int) -> None:
    kill_often(store, kills)


def test_a_session_that_is_not_kept_would_be_found(store: Database) -> None:
    furnish(store, factories.scenario(visit("v-1", "pat")), None, Clock(NOW))
    expect_kept(store, Told())
    with pytest.raises(AssertionError):
        expect_kept(store, Told(sessions=["cws_told"]))
    with pytest.raises(AssertionError):
        expect_kept(store, Told(reads=1))
