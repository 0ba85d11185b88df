"""Asking for plans: one job for one key, none when the transaction fails, and no more than may wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.desk import PLAN, WEEK, Desk

from api.runtime.exceptions import KeyReused, TooMany
from api.runtime.job_queue import JobQueue
from api.store.columns import utc_now
from api.store.database import Database
from api.store.errors import StillReferenced, StoreUnusable
from api.store.queries import jobs as records
from api.store.tables import JobEventRow
from scheduling.plan import Plan
from solver import Limits


def missing(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        marks = records.list_active_jobs(session)
    return [mark.id for mark in desk.queue.find_missing(marks)]


def test_a_job_that_is_asked_for_waits_in_the_queue(desk: Desk) -> None:
    identifier = desk.ask(seconds=7)
    job = desk.job(identifier)
    assert (job.state, job.epoch, job.seconds, job.start_plan_id) == ("queued", 1, 7, PLAN)
    assert missing(desk) == []


def test_a_transaction_that_fails_leaves_neither_the_job_nor_its_place_in_the_queue(desk: Desk) -> None:
    def asking(fails: bool) -> str:
        with desk.database.writing() as session:
            identifier = desk.queue.ask(session, WEEK, Limits(), "desk").id
            if fails:
                raise InterruptedError(identifier)
        return identifier

    with pytest.raises(InterruptedError) as caught:
        asking(fails=True)
    assert desk.jobs() == []
    undone = records.Mark(str(caught.value), "queued", 1, 0)
    kept = records.Mark(asking(fails=False), "queued", 1, 0)
    assert desk.queue.find_missing([undone, kept]) == [undone]


def test_a_key_names_one_job_of_each_caller(desk: Desk) -> None:
    first = desk.ask(key="again")
    assert desk.ask(key="again") == first
    assert desk.ask(key="again", by="other") != first
    assert desk.ask() != desk.ask()
    assert len(desk.jobs()) == 4


def test_a_key_that_came_with_another_request_is_refused(desk: Desk) -> None:
    desk.ask(key="again", seconds=1)
    with pytest.raises(KeyReused):
        desk.ask(key="again", seconds=2)


def test_a_full_queue_refuses_another_job_but_not_the_repetition_of_one_in_it(desk: Desk) -> None:
    desk.queue.capacity = 2
    first = desk.ask(key="first")
    desk.ask()
    with pytest.raises(TooMany):
        desk.ask()
    assert desk.ask(key="first") == first
    desk.take(first)
    desk.ask()
    assert len(desk.jobs()) == 3


def test_a_job_of_a_scenario_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(StillReferenced), desk.database.writing() as session:
        desk.queue.ask(session, "nothing", Limits(), "desk")


def test_a_database_in_memory_cannot_have_jobs() -> None:
    database = Database("sqlite://")
    with pytest.raises(StoreUnusable, match="file"):
        JobQueue(database)
    database.close()


def workflows(desk: Desk) -> int:
    """Return how many workflows the queue's tables hold."""
    return len(desk.queue._client.list_workflows())  # noqa: SLF001


def reported(desk: Desk, identifier: str) -> int:
    with desk.database.reading() as session:
        return len(records.list_events(session, identifier, 0))


def test_what_ended_long_ago_is_forgotten_but_for_the_job_and_its_plan(desk: Desk, made: Plan) -> None:
    ended, waiting = desk.ask(), desk.ask()
    assert desk.take(ended) is not None
    with desk.database.writing() as session:
        told = {"phase": "stub", "seconds": 1.0, "cost": 1, "reported_at": utc_now()}
        assert records.add_event(session, JobEventRow(job_id=ended, number=0, **told), 1)
        assert records.finish_job(session, ended, 1, made, utc_now())
    desk.queue._client.cancel_workflow(f"{ended}/1")  # noqa: SLF001 - what DBOS does with one that ends
    desk.queue.forget(utc_now() - timedelta(days=1))
    assert (workflows(desk), reported(desk, ended)) == (2, 1)
    desk.queue.forget(utc_now() + timedelta(days=1))
    assert (workflows(desk), reported(desk, ended)) == (1, 0)
    assert (desk.job(ended).state, len(desk.results())) == ("done", 1)
    assert missing(desk) == [], f"{waiting} waits still"
