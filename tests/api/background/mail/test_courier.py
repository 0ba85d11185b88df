"""The sender hands each message to the mail server once, whatever the server says and whoever dies."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from support.mailserver import Listening, fill_outbox
from support.service import Clock

from api.background.mail import outbox_sender
from api.background.mail.outbox_sender import UNDELIVERABLE, OutboxSender, RetryPolicy, SendCounts
from api.background.mail.sender_supervisor import send_once
from api.background.mail.smtp import Unreachable
from api.context import AppContext, create_context
from api.runtime.exceptions import Unavailable
from api.runtime.settings import Settings
from api.store import audit
from api.store.columns import utc_now
from api.store.queries import messages, tasks
from api.store.tables import TaskRow

PROJECT = Path(__file__).parents[4]
POLICY = RetryPolicy(initial_backoff=60.0, max_backoff=60.0, max_attempts=4)

OWNER = """
import signal
from api.background.mail.sender_supervisor import SenderSupervisor
with SenderSupervisor() as supervisor:
    print(supervisor.pid, flush=True)
    signal.pause()
"""
"""What holds a sender as a worker or the service does."""


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands a moment after the messages were written."""
    return Clock(utc_now() + timedelta(minutes=1))


@pytest.fixture
def context(mail_settings: Settings, clock: Clock) -> Iterator[AppContext]:
    context = create_context(mail_settings, clock=clock)
    yield context
    context.close()


def sent(context: AppContext) -> SendCounts:
    """Send what is due, in this process."""
    return asyncio.run(OutboxSender(context, POLICY).send_due())


def states(context: AppContext) -> dict[Any, int]:
    with context.database.reading() as session:
        return dict(messages.count_by_state(session))


def open_tasks(context: AppContext) -> list[TaskRow]:
    with context.database.reading() as session:
        return tasks.list_tasks(session, None, 50, done=False)


def test_each_message_is_sent_once_to_its_patient_alone(context: AppContext, listening: Listening) -> None:
    addresses = fill_outbox(context.database, 5)
    assert sent(context) == SendCounts(sent=5)
    assert listening.server.counts() == Counter(addresses)
    assert [str(one["To"]) for one in listening.server.messages()] == [address for address, _ in listening.server.taken]
    assert sent(context) == SendCounts() and states(context) == {"sent": 5}
    with context.database.reading() as session:
        assert [row.action for row in audit.list_entries(session)].count("message.send") == 5


def test_while_the_server_is_down_nothing_is_claimed(context: AppContext, listening: Listening) -> None:
    fill_outbox(context.database, 2)
    listening.stop()
    with pytest.raises(Unreachable):
        sent(context)
    assert states(context) == {"waiting": 2}
    listening.start()
    assert sent(context) == SendCounts(sent=2)


def test_what_the_server_puts_off_is_sent_later(context: AppContext, listening: Listening, clock: Clock) -> None:
    first, second = fill_outbox(context.database, 2)
    listening.server.answer = lambda recipient: "451 later" if recipient == first else "250 OK"
    assert sent(context) == SendCounts(sent=1, later=1)
    listening.server.answer = lambda recipient: "250 OK"
    assert sent(context) == SendCounts()
    clock.pass_by(minutes=2)
    assert sent(context) == SendCounts(sent=1)
    assert listening.server.counts() == Counter([first, second])


@pytest.mark.parametrize("stage", ["answer", "data_answer"])
def test_what_the_server_refuses_becomes_a_task_and_keeps_nobody_else(
    context: AppContext, listening: Listening, stage: str
) -> None:
    first, second = fill_outbox(context.database, 2)
    setattr(listening.server, stage, lambda recipient: "550 unknown" if recipient == first else "250 OK")
    assert sent(context) == SendCounts(sent=1, refused=1)
    assert listening.server.counts() == Counter([second])
    (task,) = open_tasks(context)
    assert (task.kind, task.subject_id, task.detail["reason"]) == (UNDELIVERABLE, "p-000", "the server answered 550")
    assert first not in str(task.model_dump())


def test_a_message_that_is_put_off_for_ever_is_given_up(context: AppContext, listening: Listening, clock: Clock) -> None:
    fill_outbox(context.database, 1)
    listening.server.answer = lambda recipient: "451 later"
    for _ in range(POLICY.max_attempts):
        assert states(context) == {"waiting": 1}
        sent(context)
        clock.pass_by(minutes=2)
    assert states(context) == {"refused": 1} and len(open_tasks(context)) == 1


def test_when_the_servers_answer_is_lost_the_very_same_message_is_sent_again(
    context: AppContext, listening: Listening, clock: Clock
) -> None:
    """Nobody can know whether the server has it; it has the same Message-ID, so that servers can."""
    (address,) = fill_outbox(context.database, 1)
    listening.server.data_answer = lambda recipient: ""
    with pytest.raises(Unreachable):
        sent(context)
    assert states(context) == {"sending": 1}
    listening.server.data_answer = lambda recipient: "250 taken"
    assert sent(context) == SendCounts()
    clock.pass_by(minutes=2)
    assert sent(context) == SendCounts(sent=1)
    first, second = listening.server.taken
    assert first == second and first[0] == address


def test_a_message_that_cannot_be_made_keeps_nobody_else(
    context: AppContext, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_outbox(context.database, 2)
    sender = OutboxSender(context, POLICY)
    written = outbox_sender.write_mail

    def faulty(settings: Settings, claimed: Any) -> bytes:
        if claimed.invitation.patient_id == "p-000":
            raise ValueError("a defect")
        return written(settings, claimed)

    monkeypatch.setattr(outbox_sender, "write_mail", faulty)
    assert asyncio.run(sender.send_due()) == SendCounts(sent=1, refused=1)
    assert len(open_tasks(context)) == 1


def test_what_would_come_too_late_is_not_sent(context: AppContext, listening: Listening, clock: Clock) -> None:
    fill_outbox(context.database, 3)
    clock.pass_by(days=365)
    assert sent(context) == SendCounts()
    assert (states(context), listening.server.taken) == ({"dropped": 3}, [])


def test_the_command_sends_what_waits_or_says_that_nobody_takes_it(
    context: AppContext, listening: Listening, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    fill_outbox(context.database, 2)
    listening.stop()
    with pytest.raises(Unavailable):
        send_once()
    listening.start()
    assert send_once() == {"sent": 2, "later": 0, "refused": 0}


def killed_again_and_again(
    context: AppContext, listening: Listening, environment: dict[str, str], kills: int, count: int, seed: int
) -> list[str]:
    """Kill the owner of a sender at random moments while messages are sent and the server goes down and comes back."""
    chance = random.Random(seed)
    addresses = fill_outbox(context.database, count)
    listening.server.pause_seconds = 0.03
    for number in range(kills):
        listening.stop()
        if number not in (0, kills // 2):
            listening.start()
        owner = owned_courier(environment)
        sleep(chance.uniform(0.0, 0.6))
        owner.send_signal(signal.SIGKILL)
        owner.communicate()
    listening.stop()
    listening.start()
    owner = owned_courier(environment)
    listening.server.until(count)
    owner.terminate()
    owner.communicate()
    return addresses


def owned_courier(environment: dict[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], env=os.environ | environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    int(process.stdout.readline())
    sleep(1.0)
    return process


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.heavy)])
def test_a_worker_that_is_killed_again_and_again_sends_each_message_once(
    context: AppContext, listening: Listening, environment: dict[str, str], kills: int
) -> None:
    addresses = killed_again_and_again(context, listening, environment, kills, 12 * kills, seed=kills)
    ids = Counter(str(one["Message-ID"]) for one in listening.server.messages())
    assert listening.server.counts() == Counter(addresses)
    assert set(ids.values()) == {1}
    assert states(context).get("waiting", 0) == 0
