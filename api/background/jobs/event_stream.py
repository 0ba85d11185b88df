"""How a job goes, as it happens, for whoever watches it: rows, or server-sent events of them.

References
----------
HTML Living Standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from threading import Event

from api.store import jobs as store
from api.store.database import Database
from api.store.tables import JobEventRow, PlanJobRow

LOOK_SECONDS = 0.5


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
    """Yield what a job reports as server-sent events: ``progress`` for each step, at last ``end``. Raises ``UnknownId``."""
    async for row in follow(database, identifier, after, stopping=stopping):
        if isinstance(row, JobEventRow):
            progress = {"seconds": row.seconds, "phase": row.phase, "cost": row.cost, "bound": row.bound, "gap": row.gap}
            yield f"id: {row.number}\nevent: progress\ndata: {json.dumps(progress)}\n\n"
        else:
            end = {"state": row.state, "failure": row.failure, "reason": row.reason}
            yield f"event: end\ndata: {json.dumps(end)}\n\n"
