"""Jobs of dead workers: found by their silence, given to others, their late results refused, given up at last."""

from __future__ import annotations

import pytest
from dbos import DBOSClient
from support.desk import Desk

from api.background.jobs.recovery import JobRecovery
from api.runtime.job_queue import APPLICATION
from api.store.columns import utc_now
from api.store.queries import jobs as records
from scheduling.plan import Plan

LOST = 8.0


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(desk: Desk, clock: Clock) -> JobRecovery:
    return JobRecovery(desk.database, desk.queue, LOST, clock)


def beat(desk: Desk, identifier: str, epoch: int = 1) -> bool:
    with desk.database.writing() as session:
        return records.record_beat(session, identifier, epoch)


def finish(desk: Desk, identifier: str, epoch: int, plan: Plan) -> bool:
    with desk.database.writing() as session:
        return records.finish_job(session, identifier, epoch, plan, utc_now())


def silence(watch: JobRecovery, clock: Clock, seconds: float = LOST) -> None:
    watch.look()
    end = clock.now + seconds
    while clock.now < end:
        clock.now = min(clock.now + 1.0, end)
        watch.look()


def test_a_job_without_heartbeat_is_handed_out_again(desk: Desk, watch: JobRecovery, clock: Clock) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    silence(watch, clock)
    job = desk.job(identifier)
    assert (job.state, job.epoch, job.losses, job.owner) == ("queued", 2, 1, None)
    silence(watch, clock)
    assert desk.job(identifier).epoch == 2, "it is in the queue, and waits there for as long as it takes"


@pytest.mark.parametrize("sign", ["a heartbeat", "a shorter silence"])
def test_a_job_that_shows_life_is_left_alone(desk: Desk, watch: JobRecovery, clock: Clock, sign: str) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    silence(watch, clock, LOST - 0.1)
    if sign == "a heartbeat":
        assert beat(desk, identifier)
        silence(watch, clock, 0.2)
    assert (desk.job(identifier).state, desk.job(identifier).epoch) == ("running", 1)


@pytest.mark.parametrize("seen", [True, False])
def test_silence_counts_only_while_the_store_can_be_seen(desk: Desk, watch: JobRecovery, clock: Clock, seen: bool) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    watch.look()
    if not seen:
        clock.now += 10 * LOST
        watch.look()
    silence(watch, clock, LOST - 0.5 if not seen else LOST)
    assert desk.job(identifier).epoch == (2 if seen else 1)


def test_of_all_who_watch_only_one_hands_a_job_out(desk: Desk, watch: JobRecovery, clock: Clock) -> None:
    others = [JobRecovery(desk.database, desk.queue, LOST, clock) for _ in range(2)]
    identifier = desk.ask()
    desk.take(identifier)
    for second in range(int(LOST) + 1):
        clock.now = float(second)
        for one in (watch, *others):
            one.look()
    assert (desk.job(identifier).epoch, desk.job(identifier).losses) == (2, 1)


def test_a_stale_owner_is_refused(desk: Desk, watch: JobRecovery, clock: Clock, made: Plan) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    silence(watch, clock)
    desk.take(identifier, epoch=2)
    assert not beat(desk, identifier)
    assert not finish(desk, identifier, 1, made)
    assert desk.results() == []
    assert desk.take(identifier, epoch=1) is None
    assert finish(desk, identifier, 2, made)
    assert not finish(desk, identifier, 2, made), "a result is stored once"
    assert [plan.id for plan in desk.results()] == [desk.job(identifier).plan_id]


def test_without_the_epoch_a_stale_owner_doubles_the_result(
    desk: Desk, watch: JobRecovery, clock: Clock, made: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    silence(watch, clock)
    desk.take(identifier, epoch=2)
    monkeypatch.setattr(records, "_running", lambda session, identifier, _: records.get_job(session, identifier))
    assert finish(desk, identifier, 1, made) and finish(desk, identifier, 2, made)
    assert len(desk.results()) == 2


def test_a_heartbeat_between_a_look_and_the_deed_saves_the_job(desk: Desk) -> None:
    identifier = desk.ask()
    desk.take(identifier)

    def requeue(seen: records.Mark | None) -> bool:
        with desk.database.writing() as session:
            return desk.queue.requeue(session, seen, "test") is not None

    with desk.database.reading() as session:
        before = records.get_mark(session, identifier, 1)
    assert beat(desk, identifier)
    with desk.database.reading() as session:
        after = records.get_mark(session, identifier, 1)
    assert not requeue(before)
    assert requeue(after)
    assert not requeue(after), "whoever comes second finds a new epoch"
    assert (desk.job(identifier).epoch, desk.job(identifier).losses) == (2, 1)
    assert desk.take(identifier, epoch=1) is None, "an order of the first epoch is of no use any more"
    assert desk.take(identifier, epoch=2) is not None


def test_a_job_that_loses_its_third_worker_fails_with_the_reason(desk: Desk, watch: JobRecovery, clock: Clock) -> None:
    identifier = desk.ask()
    for epoch in (1, 2, 3):
        assert desk.job(identifier).state == "queued"
        assert desk.take(identifier, epoch) is not None
        silence(watch, clock)
    job = desk.job(identifier)
    assert (job.state, job.failure, job.losses) == ("failed", "lost", 3)
    assert job.reason == "3 workers died of it, the last one: its heartbeat ended"
    assert job.ended_at is not None


@pytest.mark.parametrize("left", [True, False])
def test_a_job_whose_place_in_the_queue_is_gone_gets_another(desk: Desk, watch: JobRecovery, clock: Clock, left: bool) -> None:
    identifier = desk.ask()
    if left:  # as when a worker dies between the queue and the store
        client = DBOSClient(system_database_url=desk.queue.url, application_name=APPLICATION)
        client.cancel_workflow(f"{identifier}/1")
        client.destroy()
    silence(watch, clock)
    job = desk.job(identifier)
    assert (job.state, job.epoch, job.losses) == ("queued", 2 if left else 1, 0)


def test_a_cancelled_job_is_nobodys(desk: Desk, watch: JobRecovery, clock: Clock, made: Plan) -> None:
    identifier = desk.ask()
    desk.take(identifier)
    with desk.database.writing() as session:
        assert records.cancel_job(session, identifier, utc_now())
    assert not beat(desk, identifier)
    assert not finish(desk, identifier, 1, made)
    silence(watch, clock)
    assert (desk.job(identifier).state, desk.job(identifier).epoch) == ("cancelled", 1)
    with desk.database.writing() as session:
        assert not records.cancel_job(session, identifier, utc_now()), "it has ended already"
