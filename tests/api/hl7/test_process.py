"""The process takes messages in, does what they ask for, and sends what is new, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select
from support import factories
from support.ehr import Ehr, as_it_stands
from support.factories import booking, group, session, visit
from support.hl7 import siu
from support.hl7_process import exchanging
from support.mllp import LOOPBACK, listening, say
from support.processes import STOP_SECONDS
from support.stored import StoredWeek

from api.hl7.acks import read_ack
from api.hl7.frames import FrameReader, frame
from api.hl7.incoming import REFERRAL_WAITS
from api.store.audit import list_entries
from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import bookings, periods, tasks
from api.store.tables import BookingRow, InMessageRow

BEFORE = datetime(2026, 11, 27, tzinfo=UTC)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.02)


def published(database: Database) -> StoredWeek:
    """Publish a week that lies ahead of the real clock, by which the process lives."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-5", "sol"), group("coping", "quin", "sol", "tam"))
    made = factories.plan(
        asked,
        booking("v-1", "TU 09:00", team="dee"),
        booking("v-5", "MO 11:00"),
        session("coping", "TH 09:00", "quin tam"),
    )
    with database.writing() as rows:
        periods.keep_scenario(rows, asked, BEFORE)
    week = StoredWeek(database, asked)
    week.publish(made, BEFORE)
    shift_to(database, utc_now() + timedelta(days=1))
    return week


def shift_to(database: Database, start: datetime) -> None:
    """Let the bookings begin from an instant on, as if the week were next."""
    with database.writing() as rows:
        row = bookings.find_booking(rows, ("visit", "v-5", ""))
        assert row is not None
        days = max(0, -(-(start - row.starts_at) // timedelta(days=1)))
        if days == 0:
            return
        rows.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in ("bookings", "occupancies"):
            moved = ", ".join(f"{name} = datetime({name}, '+{days} days') || '.000000'" for name in ("starts_at", "ends_at"))
            rows.execute(text(f"UPDATE {table} SET {moved}"))


def test_appointments_go_out_and_cancellations_come_in(sqlite_url: str, tmp_path: Path, ehr: Ehr) -> None:
    database = Database(sqlite_url)
    published(database)

    async def work() -> None:
        async with listening(ehr) as port:
            with exchanging(sqlite_url, tmp_path, send_port=port) as exchange:
                await until(lambda: len(ehr.said) == 4)
                assert ehr.standing() == as_it_stands(database)
                gone = siu("S15", control_id="C-1", visit="v-1", status="Cancelled").replace("p-1^^^", "pat^^^")
                (answer,) = FrameReader().feed(await say(exchange.port, frame(gone.encode())))
                assert (read_ack(answer).code, read_ack(answer).control_id) == ("AA", "C-1")
                await until(lambda: row_of(database, "v-1").state == "cancelled")
                with database.writing() as rows:
                    bookings.cancel(rows, row_of(database, "v-5").id, utc_now())
                await until(lambda: ("S15", "v-5") in ehr.said)
                assert ("S15", "v-1") not in ehr.said, "what the hospital said is not said back"
                exchange.process.terminate()
                assert exchange.process.wait(STOP_SECONDS) == 0
            assert not [line for line in exchange.log if "Traceback" in line or "Doe" in line]

    asyncio.run(work())
    database.close()


def row_of(database: Database, visit: str) -> BookingRow:
    with database.reading() as rows:
        row = bookings.find_booking(rows, ("visit", visit, ""))
    assert row is not None
    return row


@pytest.mark.heavy
def test_both_sides_are_equal_when_the_process_is_killed_again_and_again(sqlite_url: str, tmp_path: Path, ehr: Ehr) -> None:
    """Ten kills while some forty changes go out: nothing is lost, and no message is applied twice."""
    database = Database(sqlite_url)
    published(database)

    async def work() -> None:
        async with listening(ehr) as port:
            for number in range(10):
                before = len(ehr.taken)
                with exchanging(sqlite_url, tmp_path, send_port=port) as exchange:
                    for step in range(4):
                        change(database, number * 4 + step)
                    await until(lambda: len(ehr.taken) > before)  # noqa: B023
                    exchange.process.kill()
                    exchange.process.wait()
            with exchanging(sqlite_url, tmp_path, send_port=port):
                await until(lambda: ehr.standing() == as_it_stands(database))

    asyncio.run(work())
    database.close()


def change(database: Database, number: int) -> None:
    """Move a visit by some minutes, there in one round and back in the next."""
    visit = ("v-1", "v-5")[number % 2]
    with database.writing() as rows:
        row = bookings.find_booking(rows, ("visit", visit, ""))
        assert row is not None
        placing = bookings.get_standing(rows, row).placing
        later = timedelta(minutes=10 if number // 4 % 2 == 0 else -10)
        takings = frozenset(
            type(taking)(taking.kind, taking.position, taking.resource_id, taking.ends_at + later) for taking in placing.takings
        )
        where = (placing.subject, placing.service, placing.location)
        moved = type(placing)(*where, placing.starts_at + later, placing.ends_at + later, takings)
        bookings.place(rows, row.period_id, moved, utc_now())


REFERRAL = (
    "MSH|^~\\&|EHR|HOSPITAL|||20261130120000-0500||REF^I12^REF_I12|R-{number}|P|2.5.1\r"
    "RF1||R|||||20261130\rPRD|RP|Gray^Kim\rPID|1||new-{number}^^^HOSPITAL^MR||Doe^Jo\rOBR|1|o-{number}||X-9^Pain\r"
)


@pytest.mark.heavy
def test_what_comes_in_is_kept_once_when_the_process_is_killed_before_its_answer(sqlite_url: str, tmp_path: Path) -> None:
    """Ten kills, five of them as soon as a message is kept: who had no answer sends again, and each message is done once."""
    database, kills = Database(sqlite_url), 10
    published(database)
    contents = [frame(REFERRAL.format(number=number).encode()) for number in range(kills)]

    async def work() -> None:
        for number, content in enumerate(contents):
            with exchanging(sqlite_url, tmp_path) as exchange:
                _, writer = await asyncio.open_connection(LOOPBACK, exchange.port)
                writer.write(content)
                await writer.drain()
                if number % 2 == 0:
                    await until(lambda: len(list_received(database)) > number)  # noqa: B023
                exchange.process.kill()
                exchange.process.wait()
                writer.close()
            with exchanging(sqlite_url, tmp_path) as exchange:
                for _ in range(2):
                    (answer,) = FrameReader().feed(await say(exchange.port, content))
                    assert (read_ack(answer).code, read_ack(answer).control_id) == ("AA", f"R-{number}")
                await until(lambda: all(row.ended_at is not None for row in list_received(database)))
                assert not [line for line in exchange.log if "Traceback" in line]

    asyncio.run(work())
    assert [(row.control_id, row.state, row.parts_done) for row in list_received(database)] == [
        (f"R-{number}", "task", 1) for number in range(kills)
    ]
    with database.reading() as rows:
        assert len([row for row in list_entries(rows, count=1000) if row.action == "hl7.in"]) == kills
        assert [row.kind for row in tasks.list_tasks(rows, None, 100, False)] == [REFERRAL_WAITS] * kills
    database.close()


def list_received(database: Database) -> list[InMessageRow]:
    """Return the messages that came in, in their order."""
    with database.reading() as rows:
        return list(rows.exec(select(InMessageRow).order_by(col(InMessageRow.number))))
