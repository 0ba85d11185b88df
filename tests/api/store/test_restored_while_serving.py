"""A restore under two running servers: nobody is ever told, or changes, anything of another past of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Lock, Semaphore

import httpx2
import pytest
from support import factories
from support.factories import visit
from support.frontdesk import furnish, wanted
from support.races import two_processes
from support.service import Clock
from support.stored import NOW, StoredWeek

from api.store import audit
from api.store.backup import backup, restore
from api.store.database import Database

CLIENTS = 6
PLACES = [f"{day} {hour:02}:00" for day in factories.WORKDAYS for hour in (8, 9, 10, 11)]
PATIENCE_SECONDS = 300.0
MOST_ANSWERS = 12
DOCUMENTS = ("/v1/scenarios/test-week", "/v1/scenarios/test-week/plan")


@dataclass
class Pasts:
    """What each version was told to be: one version never means two things, whatever was restored meanwhile."""

    told: dict[tuple[str, str], bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def note(self, answer: httpx2.Response) -> None:
        """Note an answer that has a version, or is a defect."""
        path = answer.request.url.path
        with self.lock:
            if answer.status_code >= 500 and answer.status_code != 503:
                self.wrong.append(f"{path}: {answer.status_code} {answer.text}")
            elif answer.status_code == 200 and answer.request.method == "GET":
                known = self.told.setdefault((path, answer.headers["etag"]), answer.content)
                if known != answer.content:
                    self.wrong.append(f"{path} {answer.headers['etag']}: {known!r} and {answer.content!r}")


def go_on(number: int, client: httpx2.Client, pasts: Pasts, answered: Semaphore, stopped: Event) -> None:
    """Book one's own visit at ever other places, cancel it, and read it and the week."""
    path = f"/v1/visits/v-{number}/booking"
    for turn in count():
        if stopped.is_set():
            return
        place = wanted(PLACES[(number + turn * CLIENTS) % len(PLACES)])
        pasts.note(client.post(path, json=place))
        read = client.get(path)
        for answer in (read, *(client.get(document) for document in DOCUMENTS)):
            pasts.note(answer)
        if "etag" in read.headers:
            pasts.note(client.delete(path, headers={"If-Match": read.headers["etag"]}))
        answered.release()


def wait_for(answered: Semaphore, answers: int) -> None:
    """Wait until so many turns of clients are over."""
    for _ in range(answers):
        assert answered.acquire(timeout=PATIENCE_SECONDS)


def expect_present(processes: list[httpx2.Client], week: StoredWeek, lost: set[tuple[str, str]]) -> None:
    """Hold what both servers say against the store; what is known of a lost past is told anew."""
    stands = {one.visit: f"{one.start:%Y-%m-%dT%H:%M}" for one in week.standing().visits}
    for client in processes:
        plan = client.get(DOCUMENTS[1])
        assert {one["visit"]: one["start"] for one in plan.json()["visits"]} == stands
        for path, tag in lost:
            answer = client.get(path, headers={"If-None-Match": tag})
            assert answer.status_code in (200, 404)


def restore_often(store: Database, copy: Path, times: int) -> None:
    names = [f"p-{number}" for number in range(CLIENTS)]
    visits = [visit(f"v-{number}", name) for number, name in enumerate(names)]
    asked = factories.scenario(*visits, patients=[factories.patient(name) for name in names])
    url, random, pasts = store.url.render_as_string(hide_password=False), Random(0), Pasts()
    scheduler, _ = furnish(store, asked, None, Clock(NOW))
    week = StoredWeek(store, asked)
    backup(store, copy)
    with two_processes(url, scheduler, CLIENTS, NOW) as processes:
        for _ in range(times):
            answered, stopped = Semaphore(0), Event()
            before = set(pasts.told)
            with ThreadPoolExecutor(CLIENTS) as pool:
                asking = [
                    pool.submit(go_on, number, processes[number % 2], pasts, answered, stopped) for number in range(CLIENTS)
                ]
                try:
                    wait_for(answered, random.randint(1, MOST_ANSWERS))
                    restore(store, copy, NOW)
                    wait_for(answered, random.randint(1, MOST_ANSWERS))
                finally:
                    stopped.set()
                for client in asking:
                    client.result()
            assert pasts.wrong == []
            expect_present(processes, week, set(random.sample(sorted(before), min(5, len(before)))))
    with store.reading() as session:
        audit.verify(session)


@pytest.mark.heavy
def test_nothing_of_another_past_is_told_after_twenty_restores(store: Database, tmp_path: Path) -> None:
    restore_often(store, tmp_path / "copy", 20)


def test_a_version_that_means_two_things_would_be_found() -> None:
    pasts, request = Pasts(), httpx2.Request("GET", "http://c/v1/scenarios/test-week")
    for content in (b"one", b"another"):
        pasts.note(httpx2.Response(200, headers={"etag": '"1.e"'}, content=content, request=request))
    assert len(pasts.wrong) == 1
