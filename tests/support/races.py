"""Many clients at once, through two processes of the service; and what must hold of a store whatever they did."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import httpx2
from sqlmodel import col, select
from support.processes import Served, served
from support.service import SECRET, bearer

from api.store.database import Database
from api.store.tables import AuditRow, BookingRow, OccupancyRow

T = TypeVar("T")

STOPPED_CLOCK = Path(__file__).parents[1] / "api" / "services" / "stopped_clock.py"

CHANGES = ("booking.add", "booking.move", "booking.cancel")

PEOPLE = {"team", "room", "patient"}
"""What every booking of a visit takes in these tests."""


def at_once(act: Callable[[int], T], clients: int) -> list[T]:
    """Let clients act at the same moment; return what each got."""
    together = Barrier(clients)

    def one(number: int) -> T:
        together.wait()
        return act(number)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(clients)))


@contextmanager
def two_processes(url: str, secret: str, clients: int, now: datetime) -> Iterator[list[httpx2.Client]]:
    """Start two processes of the service without workers, at a moment that stays; yield a client of each, for many threads."""
    limits = httpx2.Limits(max_connections=clients, keepalive_expiry=2)
    with ExitStack() as stack:
        services = [stack.enter_context(stopped(url, now)) for _ in range(2)]
        yield [
            stack.enter_context(httpx2.Client(base_url=service.address, headers=bearer(secret), timeout=120, limits=limits))
            for service in services
        ]


def stopped(url: str, now: datetime) -> AbstractContextManager[Served]:
    """Start a process of the service whose clock stands still."""
    return served(url, command=(sys.executable, str(STOPPED_CLOCK), url, SECRET, now.isoformat()))


def overlaps(database: Database) -> list[str]:
    """Return what is taken twice at once, found without the database's own guards."""
    found = []
    with database.reading() as session:
        rows = session.exec(
            select(OccupancyRow)
            .where(OccupancyRow.kind != "supervisor")
            .order_by(col(OccupancyRow.resource), col(OccupancyRow.resource_id), col(OccupancyRow.starts_at))
        ).all()
    for one, other in pairwise(rows):
        same = (one.resource, one.resource_id) == (other.resource, other.resource_id)
        if same and other.starts_at < one.ends_at:
            found.append(f"{one.resource} {one.resource_id} at {other.starts_at}")
    return found


def half_written(database: Database) -> list[str]:
    """Return the visits whose booking, what it takes, and the audit do not tell the same."""
    found = []
    with database.reading() as session:
        changes = select(AuditRow.object_id).where(col(AuditRow.action).in_(CHANGES))
        written = Counter(session.exec(changes).all())
        for row in session.exec(select(BookingRow)).all():
            taken = session.exec(select(OccupancyRow.kind).where(OccupancyRow.booking_id == row.id)).all()
            wanted = set() if row.state == "cancelled" else PEOPLE
            if set(taken) != wanted or row.version != written.pop(row.subject_id, 0):
                found.append(row.subject_id)
    return [*found, *written]
