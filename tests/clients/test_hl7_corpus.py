"""Messages of others, good and broken, each get one answer with their very control id, and break nothing."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from clients.installed import HERE
from clients.waiting import until
from support import factories
from support.hl7 import peers as samples
from support.hl7_process import Exchange, exchanging
from support.mllp import say
from support.stored import StoredWeek

from api.hl7.acks import read_ack
from api.hl7.frames import FrameReader, frame
from api.store.database import Database
from api.store.queries import bookings, periods

MADE = 200


@pytest.fixture(scope="module")
def made(peers: Path) -> list[bytes]:
    """Return messages that hl7gen made up."""
    script = HERE / "drivers" / "make_hl7.py"
    ran = subprocess.run([peers / "python", script, str(MADE), "7"], capture_output=True, text=True, check=True)
    messages = [of_hospital(text.replace("\n", "\r").encode()) for text in ran.stdout.split("\x1e") if text]
    assert len(messages) == MADE
    return messages


def of_hospital(content: bytes) -> bytes:
    """Return a message as if the hospital had sent it; its control id stays as it is."""
    fields = content.removeprefix(b"\xef\xbb\xbf").split(b"|")
    fields[2:4] = b"EHR", b"HOSPITAL"
    return b"|".join(fields)


def get_control_id(content: bytes) -> str:
    """Return MSH-10 as it is in a message."""
    return re.split(rb"[\r\n]", content)[0].split(b"|")[9].decode()


def answer_all(exchange: Exchange, messages: list[bytes]) -> list[list[str]]:
    """Return the control ids of the answers to each message."""

    async def work() -> list[list[str]]:
        answers = [await say(exchange.port, frame(message)) for message in messages]
        return [[read_ack(ack).control_id for ack in FrameReader().feed(answer)] for answer in answers]

    return asyncio.run(work())


def test_every_sample_is_answered_once_with_its_control_id(sqlite_url: str, tmp_path: Path) -> None:
    messages = [of_hospital(file.read_bytes()) for file in samples("hl7v2-microsoft", "*.hl7")]
    assert len(messages) == 10
    with exchanging(sqlite_url, tmp_path) as exchange:
        assert answer_all(exchange, messages) == [[get_control_id(message)] for message in messages]
    assert not [line for line in exchange.log if "Traceback" in line]


@pytest.mark.parametrize("is_broken", [False, True])
def test_made_up_messages_are_answered_once(sqlite_url: str, tmp_path: Path, made: list[bytes], is_broken: bool) -> None:
    rng = random.Random(7)
    messages = [break_message(message, rng) for message in made] if is_broken else made
    with exchanging(sqlite_url, tmp_path) as exchange:
        assert answer_all(exchange, messages) == [[get_control_id(message)] for message in messages]
    assert not [line for line in exchange.log if "Traceback" in line]


def break_message(message: bytes, rng: random.Random) -> bytes:
    """Return a message of which something after the header is lost, doubled or changed."""
    head, _, rest = message.partition(b"\r")
    at = rng.randrange(max(1, len(rest)))
    cut = at + rng.randint(1, 30)
    changed = rng.choice((rest[:at] + rest[cut:], rest[:cut] + rest[at:], rest[:at] + b"^&~\\|\xff" + rest[at:]))
    return head + b"\r" + changed


MEANT = datetime(2021, 9, 24, 7, 15, tzinfo=UTC)
"""When the appointment of the samples begins."""

TOLD = (
    ("S12", "waits", ("booked", MEANT)),
    ("S15", "waits", ("cancelled", MEANT)),
    ("S13", "stands", ("booked", MEANT)),
    ("S16", "stands", ("cancelled", MEANT)),
    ("S14", "changes", ("booked", MEANT)),
    ("S17", "changes", ("cancelled", MEANT)),
    ("S26", "missed", ("no-show", datetime(2021, 9, 22, 13, tzinfo=UTC))),
)
"""The event of a sample, the visit that it tells of, and how that stands afterwards."""


def test_what_samples_tell_of_visits_that_are_known_is_so_afterwards(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    publish_sample_week(database)

    async def work(exchange: Exchange) -> None:
        for trigger, name, meant in TOLD:
            (file,) = samples("hl7v2-microsoft", f"SIU-{trigger}-*.hl7")
            message = of_hospital(file.read_bytes())
            for theirs, ours in ((b"|36996|", f"|{name}|".encode()), (b"|055^", b"|wang^"), (b"|1210^", b"|ana^")):
                message = message.replace(theirs, ours)
            (ack,) = FrameReader().feed(await say(exchange.port, frame(message)))
            assert read_ack(ack).code == "AA", trigger
            await asyncio.to_thread(until, f"{trigger} of {name}", partial(stands, database, name, meant))

    with exchanging(sqlite_url, tmp_path, owner="ehr") as exchange:
        asyncio.run(work(exchange))
    assert not [line for line in exchange.log if "Traceback" in line]
    database.close()


def publish_sample_week(database: Database) -> None:
    """Publish the week of the samples' appointment: three visits of its patient stand, and one waits."""
    standing = ("stands", "changes", "missed")
    asked = factories.scenario(
        *(factories.visit(name, "PATID1234") for name in ("waits", *standing)),
        patients=[factories.patient("PATID1234")],
        horizon={"start": "2021-09-20", "end": "2021-09-25"},
        providers=factories.people(factories.provider("ana", shifts=factories.week(days=["2021-09-21", "2021-09-22"]))),
    )
    starts = ("2021-09-21 09:00", "2021-09-21 11:00", "2021-09-22 09:00")
    plan = factories.plan(asked, *(factories.booking(name, start) for name, start in zip(standing, starts, strict=True)))
    now = datetime(2021, 9, 17, tzinfo=UTC)
    with database.writing() as session:
        periods.keep_scenario(session, asked, now)
    StoredWeek(database, asked).publish(plan, now)


def stands(database: Database, name: str, meant: tuple[str, datetime]) -> bool:
    """Return whether a visit is in a state and begins at an instant."""
    with database.reading() as session:
        row = bookings.find_booking(session, ("visit", name, ""))
    return row is not None and (row.state, row.starts_at) == meant
