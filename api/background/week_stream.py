"""What changes in a week, as it happens, as server-sent events: what this process changes, and what others do.

References
----------
HTML Living Standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Event

from api.background.jobs.event_stream import HEARTBEAT, LOOK_SECONDS, LOOKS_PER_HEARTBEAT, write_event
from api.services.weeks.week_changes import WeekChanges, find_week_changes
from api.store.database import Database
from api.store.epoch import Version, make_tag, read_tag
from api.store.queries import periods


async def stream_changes(
    database: Database, period_id: str, last_event_id: str | None, stopping: Event, look_seconds: float = LOOK_SECONDS
) -> AsyncIterator[str]:
    """Yield a week's version at once, and again whenever it is another: which visits and groups are elsewhere, and by whom.

    While nothing changes, a comment shows that the stream lives; its last event, ``end``, says that the process ends.

    Parameters
    ----------
    last_event_id
        The last event that the reader knows: the first one then tells all that has changed since.
    look_seconds
        Between two looks into the store.
    """

    def look() -> WeekChanges | None:
        with database.reading() as session:
            if told is not None and periods.get_version(session, period_id) == told:
                return None
            return find_week_changes(session, period_id, told or known)

    known = None if last_event_id is None else read_tag(last_event_id)
    told: Version | None = None
    looks = 0
    while not stopping.is_set():
        news = await asyncio.to_thread(look)
        if news is not None:
            told = news.version
            yield f"id: {make_tag(told)}\n" + write_event("version", describe(news))
        looks += 1
        if looks % LOOKS_PER_HEARTBEAT == 0:
            yield HEARTBEAT
        await asyncio.sleep(look_seconds)
    yield write_event("end", {"reason": "shutdown"})


def describe(news: WeekChanges) -> dict[str, object]:
    """Return a week's version and what has changed; ``complete`` is false where nobody knows all of it: read the board anew."""
    return {
        "version": news.version.number,
        "etag": make_tag(news.version),
        "visits": news.visits,
        "groups": news.groups,
        "by": [{"id": account, "name": name} for account, name in news.by.items()],
        "complete": news.changes is not None,
    }
