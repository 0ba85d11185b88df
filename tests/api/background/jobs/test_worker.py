"""Workers as processes: each job done once, whoever is killed; cancelled ones stopped; those of a stopped worker given back."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from time import monotonic, sleep

import pytest
from support.desk import Desk

from api.background.jobs.event_stream import follow
from api.store.columns import utc_now
from api.store.queries import jobs as records
from api.store.tables import JobEventRow, PlanJobRow
from scheduling.plan import Plan

StartWorker = Callable[[], "subprocess.Popen[bytes]"]

DEADLY = 13
CANCEL_SECONDS = 2.0

on_one_database = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


def running(job: PlanJobRow) -> bool:
    return job.state == "running" and job.beats > 0


def expect_each_done_once(desk: Desk, asked: list[str]) -> None:
    jobs = desk.jobs()
    assert sorted(job.id for job in jobs) == sorted(asked)
    assert {job.state for job in jobs} == {"done"}
    assert sorted(plan.id for plan in desk.results()) == sorted(str(job.plan_id) for job in jobs)


@on_one_database
def test_a_worker_does_what_is_asked_and_tells_how_it_goes(desk: Desk, start_worker: StartWorker, made: Plan) -> None:
    start_worker()
    identifier = desk.ask(seconds=0.6)

    async def watched() -> list[JobEventRow | PlanJobRow]:
        return [one async for one in follow(desk.database, identifier, look_seconds=0.05)]

    *events, last = asyncio.run(watched())
    assert isinstance(last, PlanJobRow)
    assert (last.state, last.losses, last.failure) == ("done", 0, None)
    assert [event.number for event in events if isinstance(event, JobEventRow)] == list(range(1, len(events) + 1))
    first = events[0]
    assert isinstance(first, JobEventRow) and first.gap == (first.cost - 100) / first.cost
    costs = [event.cost for event in events if isinstance(event, JobEventRow)]
    assert len(costs) > 1 and costs == sorted(costs, reverse=True)
    with desk.database.reading() as session:
        best = records.find_best_plan(session, identifier)
    assert best is not None and (best.version, best.document) == (1, made.model_dump_json())
    (plan,) = desk.results()
    assert (plan.id, plan.document, plan.cost) == (last.plan_id, made.model_dump_json(), made.cost)


@on_one_database
def test_who_comes_back_to_a_job_hears_what_was_told_meanwhile(desk: Desk) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    with desk.database.writing() as session:
        for cost in (30, 20, 10):
            told = {"phase": "stub", "seconds": 1.0, "cost": cost, "reported_at": utc_now()}
            assert records.add_event(session, JobEventRow(job_id=identifier, number=0, **told), epoch=1)
        assert records.cancel_job(session, identifier, utc_now())

    async def heard() -> list[object]:
        return [getattr(one, "cost", None) async for one in follow(desk.database, identifier, after=1)]

    assert asyncio.run(heard()) == [20, 10, None]


@on_one_database
def test_a_cancelled_job_stops_its_solver(desk: Desk, start_worker: StartWorker) -> None:
    worker = start_worker()
    identifier = desk.ask(seconds=600)
    desk.until(identifier, running)
    assert children(worker.pid)
    with desk.database.writing() as session:
        records.cancel_job(session, identifier, utc_now())
    end = monotonic() + CANCEL_SECONDS
    while children(worker.pid):
        assert monotonic() < end
        sleep(0.02)
    assert desk.job(identifier).state == "cancelled"
    assert desk.ended(desk.ask()).state == "done", "the worker goes on with the next"


def test_a_killed_worker_s_job_is_taken_over(desk: Desk, start_worker: StartWorker) -> None:
    worker = start_worker()
    identifier = desk.ask(seconds=0.8)
    desk.until(identifier, running)
    worker.kill()
    start_worker()
    job = desk.ended(identifier)
    assert (job.state, job.epoch, job.losses) == ("done", 2, 1)
    expect_each_done_once(desk, [identifier])


@on_one_database
def test_a_worker_that_stops_gives_its_job_back_at_once(desk: Desk, start_worker: StartWorker) -> None:
    worker = start_worker()
    identifier = desk.ask(seconds=1)
    desk.until(identifier, running)
    worker.terminate()
    assert worker.wait(timeout=10) == 0
    job = desk.job(identifier)
    assert (job.state, job.epoch, job.losses) == ("queued", job.epoch, 0)
    assert job.epoch > 1
    start_worker()
    assert desk.ended(identifier).state == "done"


@on_one_database
def test_a_job_that_kills_every_solver_fails_and_its_worker_lives(desk: Desk, start_worker: StartWorker) -> None:
    worker = start_worker()
    job = desk.ended(desk.ask(seed=DEADLY))
    assert (job.state, job.failure, job.losses) == ("failed", "lost", 3)
    assert job.reason == "3 workers died of it, the last one: the solver died by signal 9"
    assert worker.poll() is None
    assert desk.ended(desk.ask()).state == "done"


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_two_workers_share_the_queue_and_do_one_job_each_at_a_time(desk: Desk, start_worker: StartWorker) -> None:
    workers = [start_worker() for _ in range(2)]
    asked = [desk.ask(seconds=0.4) for _ in range(4)]
    most = 0
    while any(job.ended_at is None for job in desk.jobs()):
        most = max(most, *(len(children(worker.pid)) for worker in workers))
        sleep(0.02)
    expect_each_done_once(desk, asked)
    assert most == 1
    assert {job.losses for job in desk.jobs()} == {0}


@pytest.mark.heavy
def test_fifty_kills_lose_and_double_no_job(desk: Desk, start_worker: StartWorker) -> None:
    """Kill the worker that has a job, early in it or late; every job is done once in the end."""
    workers = [start_worker() for _ in range(2)]
    asked: list[str] = []
    for kill in range(50):
        asked.append(desk.ask(seconds=(0.4, 0.05)[kill % 2]))
        beats = kill % 3

        def ripe(job: PlanJobRow, beats: int = beats) -> bool:
            return job.ended_at is not None or (job.owner is not None and job.beats >= beats)

        job = desk.until(asked[-1], ripe)
        victim = next((worker for worker in workers if f":{worker.pid}:" in str(job.owner)), workers[0])
        victim.kill()
        workers.remove(victim)
        workers.append(start_worker())
        desk.ended(asked[-1])
    expect_each_done_once(desk, asked)
    assert sum(job.losses for job in desk.jobs()) >= 25, "else the kills came too late to count"


def children(pid: int) -> list[int]:
    """Return the solvers of a worker."""
    found = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)], capture_output=True, check=False)
    return [int(line) for line in found.stdout.split()]
