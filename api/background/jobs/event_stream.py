"""How a job goes, as it happens, for whoever watches it: rows, or server-sent events of them.

References
----------
HTML Living Standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from threading import Event
from typing import Any

from api.store.database import Database
from api.store.queries import jobs as store
from api.store.tables import JobEventRow, PlanJobRow

LOOK_SECONDS = 0.5
LOOKS_PER_HEARTBEAT = 30
"""A stream with nothing to tell shows that it lives every 15 s."""

HEARTBEAT = ": heartbeat\n\n"


async def follow(
    database: Database,
    identifier: str,
    after: int = 0,
    look_seconds: float = LOOK_SECONDS,
    stopping: Event | None = None,
) -> AsyncIterator[JobEventRow | PlanJobRow]:
    """Yield what a job reports, and at last the job itself when it has ended.

    Parameters
    ----------
    after
        The number of the last event known already; 0 for all.
    look_seconds
        Between two looks into the store.
    stopping
        Ends it early once set.

    Raises
    ------
    UnknownId
        When there is no such job.
    """

    def look() -> tuple[PlanJobRow, list[JobEventRow]]:
        with database.reading() as session:
            return store.get_job(session, identifier), store.list_events(session, identifier, after)

    while stopping is None or not stopping.is_set():
        row, events = await asyncio.to_thread(look)
        for event in events:
            after = event.number
            yield event
        if row.ended_at is not None:
            yield row
            return
        await asyncio.sleep(look_seconds)


async def stream_events(database: Database, identifier: str, after: int, stopping: Event) -> AsyncIterator[str]:
    """Yield what a job reports as server-sent events: where it stands at once, ``progress`` for each step, at last ``end``.

    While there is nothing to tell, a comment shows that the stream lives. Raises ``UnknownId``.
    """

    def look() -> tuple[PlanJobRow, list[JobEventRow]]:
        with database.reading() as session:
            return store.get_job(session, identifier), store.list_events(session, identifier, after)

    looks = 0
    while not stopping.is_set():
        job, events = await asyncio.to_thread(look)
        if looks == 0 and not events and job.ended_at is None:
            yield write_event("progress", describe_progress(job, None))
        for event in events:
            after = event.number
            yield f"id: {event.number}\n" + write_event("progress", describe_progress(job, event))
        if job.ended_at is not None:
            yield write_event("end", {"state": job.state, "failure": job.failure, "reason": job.reason})
            return
        looks += 1
        if looks % LOOKS_PER_HEARTBEAT == 0:
            yield HEARTBEAT
        await asyncio.sleep(LOOK_SECONDS)


def write_event(kind: str, data: Mapping[str, Any]) -> str:
    """Write a server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def describe_progress(job: PlanJobRow, event: JobEventRow | None) -> dict[str, Any]:
    """Return where a job stands; before its first report it waits for a worker, or has only begun."""
    if event is None:
        told = dict.fromkeys(("cost", "bound", "gap", "planned", "late", "plan_version"))
        return {"seconds": 0.0, "phase": job.state, **told, "limit": job.seconds, "seconds_left": job.seconds}
    names = ("seconds", "phase", "cost", "bound", "gap", "planned", "late", "plan_version")
    left = round(max(0.0, job.seconds - event.seconds), 2)
    return {**{name: getattr(event, name) for name in names}, "limit": job.seconds, "seconds_left": left}
