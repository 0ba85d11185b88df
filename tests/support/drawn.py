"""Requests drawn from what the service says of itself, sent by everybody into a store that is set back after each."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx2
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from support.postgres import PostgresServer
from support.samples import FOREIGN, OWN, SAMPLES, Ids, Sample, World, named
from support.service import PASSWORD

from api.access.actor import AccessRole
from api.access.limits import RateLimiter
from api.access.table import Access
from api.runtime.caches import FeedCache
from api.store.database import Database

UNLIMITED = 1_000_000


class Kept(Protocol):
    """A copy of a database, which nobody is connected to when it is made or taken back."""

    def keep(self) -> None:
        """Make it anew."""

    def take_back(self) -> None:
        """Make the database as it was."""

    def forget(self) -> None:
        """Remove it."""


class KeptOnSqlite:
    """A copy in memory."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)

    def keep(self) -> None:
        with closing(sqlite3.connect(self._file)) as file:
            file.backup(self._copy)

    def take_back(self) -> None:
        with closing(sqlite3.connect(self._file)) as file:
            self._copy.backup(file)

    def forget(self) -> None:
        self._copy.close()


class KeptOnPostgresql:
    """A copy on the same server, of which the database is made again as a copy."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self._server, self._name = server, name
        self._copy = f"kept-{uuid4().hex[:12]}"

    def keep(self) -> None:
        self.forget()
        self._server.leave(self._name)
        self._server.create(self._copy, self._name)

    def take_back(self) -> None:
        self._server.drop(self._name)
        self._server.create(self._name, self._copy)

    def forget(self) -> None:
        self._server.drop(self._copy)


class Rewinding:
    """A world that is set back to how it was at one moment, again and again."""

    def __init__(self, here: World, kept: Kept) -> None:
        self.here, self._kept = here, kept
        self._now = here.desk.clock.now
        self._context = here.desk.context
        self._context.requests = self._context.log_ins = self._context.polls = RateLimiter(UNLIMITED)
        self._open_queue()

    def keep(self) -> None:
        """Remember how it is now."""
        self._closed()
        self._kept.keep()
        self._now = self.here.desk.clock.now
        self._opened()

    def set_back(self) -> None:
        """Make it as it was, and forget what was derived since: a version may come to mean something else now."""
        self._closed()
        self._kept.take_back()
        self.here.desk.clock.now = self._now
        self._opened()

    def __enter__(self) -> Self:
        self.keep()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._kept.forget()

    def _closed(self) -> None:
        self._context.close()
        del self._context.queue

    def _opened(self) -> None:
        self._context.database = Database(self._context.settings.database_url)
        self._context.feeds = FeedCache()
        self._open_queue()

    def _open_queue(self) -> None:
        """Open the queue, which makes tables of its own: they are to be there before anything is kept."""
        self._context.queue.capacity = UNLIMITED


class Sending:
    """What is sent to one route: requests that are drawn, and those who send them.

    Attributes
    ----------
    everybody : mapping of AccessRole or None to Headers
        By which headers each role, and nobody, is known.
    """

    def __init__(self, here: World, line: Access, operation: APIOperation[Any, Any, Any, Any]) -> None:
        sample = sample_of(line)
        own: Ids = {**OWN, **here.ids, **sample.own, **(sample.prepare(here) if sample.prepare else {})}
        self._here, self._operation = here, operation
        self._known = _by_kind([*own.items(), *{**FOREIGN, **sample.foreign}.items()])
        self._body = named(sample.body, own)
        self._query = dict(parse_qsl(sample.query.removeprefix("?").format_map(own)))
        self._tag = _tag(here, sample.version_of.format_map(own))
        self.everybody = {role: here.headers(role, own) for role in (None, *AccessRole)}

    def cases(self) -> st.SearchStrategy[Case]:
        """Return what draws requests: as the document allows, as it does not, and good ones that are changed in part."""

        @st.composite
        def drawn(draw: st.DrawFn) -> Case:
            case = draw(self._operation.as_strategy(draw(st.sampled_from(GenerationMode))))
            for name in sorted(case.path_parameters.keys() & self._known.keys()):
                if draw(MOSTLY):
                    case.path_parameters[name] = draw(st.sampled_from(self._known[name]))
            if self._tag and draw(MOSTLY):
                case.headers["If-Match"] = self._tag
            if self._query and draw(MOSTLY):
                case.query = draw(_changed(self._query, case.query))
            if self._body is not None and draw(MOSTLY):
                case.body = draw(_changed(self._body, case.body))
            return case

        return drawn()

    def send(self, case: Case, role: AccessRole | None) -> httpx2.Response:
        """Send a request as somebody."""
        parts = case.as_transport_kwargs(headers=self.everybody[role])
        body = parts.pop("data", None)
        parts["data" if isinstance(body, Mapping) else "content"] = body  # a form's fields, or a body as it is
        parts.pop("cookies")  # by which browsers are known; those who send are known by a header
        return self._here.desk.client.request(**parts, follow_redirects=False)


MOSTLY = st.integers(0, 3).map(bool)


def sample_of(line: Access) -> Sample:
    """Return the good request of a route."""
    return {**SAMPLES, **PUBLIC}.get((line.method, line.path), Sample())


def _subscribed(here: World) -> Ids:
    """Make a feed."""
    address = here.desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).json()["url"]
    calendar, secret = address.removesuffix(".ics").split("/")[-2:]
    return {"calendar": calendar, "secret": secret}


PUBLIC = {
    ("POST", "/v1/sessions"): Sample({"name": "scheduler", "password": PASSWORD}),
    ("GET", "/calendars/{calendar}/{secret}.ics"): Sample(prepare=_subscribed),
}


def _by_kind(known: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, identifier in known:
        found[name.rpartition("/")[2]].add(identifier)
    return {kind: sorted(ids) for kind, ids in found.items()}


def _changed(good: Any, drawn: Any) -> st.SearchStrategy[Any]:
    """Return what draws a good document, with some of its keys as in another one."""
    if not (isinstance(good, Mapping) and isinstance(drawn, Mapping) and drawn):
        return st.just(good)
    keys = st.sets(st.sampled_from(sorted(drawn)), max_size=2)
    return keys.map(lambda chosen: {**good, **{key: drawn[key] for key in chosen}})


def _tag(here: World, path: str) -> str:
    if not path:
        return ""
    role = AccessRole.ADMIN if "account" in path else AccessRole.SCHEDULER
    role = AccessRole.SYSTEM if path.startswith("/fhir/") else role
    return str(here.desk.ask("GET", path, headers=here.headers(role, OWN)).headers["etag"])
