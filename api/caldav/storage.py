"""The store as Radicale sees it: a collection for each member of staff, in it their calendars, in these the events.

Everything is made from the feeds' documents, so that CalDAV and feeds show the same, event for event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from functools import cached_property
from typing import Any, overload

from radicale.item import Item
from radicale.storage import BaseCollection, BaseStorage

from api.access.actor import AccessRole
from api.context import AppContext, create_context
from api.runtime.caches import RenderedFeed
from api.runtime.settings import read_settings
from api.services.calendars.feeds import get_current_copy
from api.store.queries import accounts, feeds, periods
from api.store.tables.feeds import FeedKind
from calendars.filenames import make_file_name

TAG = "VCALENDAR"
"""What Radicale calls a collection of events."""

NO_WRITING = "calendars are read here, and written by the clinic's own interface"

_EVENT = re.compile(r"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", re.DOTALL)
_ZONE = re.compile(r"BEGIN:VTIMEZONE\r\n.*END:VTIMEZONE\r\n", re.DOTALL)
_UID = re.compile(r"^UID:(.*?)\r\n(?! )", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Owned:
    """A calendar of somebody: the last part of its path, and of what it is."""

    name: str
    kind: FeedKind
    subject: str


class Collection(BaseCollection):
    """A collection without events: the root, or what belongs to one member of staff."""

    def __init__(self, path: str, meta: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._meta = dict(meta or {})

    @property
    def path(self) -> str:
        """Its path, without the slashes around it."""
        return self._path

    @property
    def last_modified(self) -> str:
        """When it last changed: never."""
        return "Thu, 01 Jan 1970 00:00:00 GMT"

    def get_all(self) -> Iterable[Item]:
        """Return its events."""
        return ()

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        """Return some events by name, None for those that are not there."""
        known = {item.href: item for item in self.get_all()}
        return ((href, known.get(href)) for href in hrefs)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...

    @overload
    def get_meta(self, key: str) -> str | None: ...

    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        """Return a property, or all of them."""
        return self._meta if key is None else self._meta.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Refuse to be written to."""
        raise PermissionError(NO_WRITING)

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        """Refuse to be written to."""
        raise PermissionError(NO_WRITING)

    def delete(self, href: str | None = None) -> None:
        """Refuse to be written to."""
        raise PermissionError(NO_WRITING)


class CalendarCollection(Collection):
    """A calendar, with the events of a feed's document."""

    def __init__(self, path: str, name: str, copy: RenderedFeed) -> None:
        super().__init__(path, {"tag": TAG, "D:displayname": name})
        self._copy = copy

    @property
    def etag(self) -> str:
        """What changes with its content."""
        return f'"{self._copy.digest}"'

    @property
    def last_modified(self) -> str:
        """When it last changed."""
        return format_datetime(self._copy.modified_at, usegmt=True)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """Return the present token, and what has changed since an old one: nothing, or else whoever asks looks at all."""
        token = f"http://radicale.org/ns/sync/{self._copy.digest}"
        if old_token == token:
            return token, ()
        if old_token:
            raise ValueError("the token is not the present one")
        return token, [item.href for item in self._items if item.href]

    def get_all(self) -> Iterable[Item]:
        """Return its events."""
        return self._items

    @cached_property
    def _items(self) -> list[Item]:
        text = self._copy.content.decode()
        zone = _ZONE.search(text)
        rules = zone[0] if zone else ""
        return [self._item(event, rules) for event in _EVENT.findall(text)]

    def _item(self, event: str, rules: str) -> Item:
        found = _UID.search(event)
        uid = found[1].replace("\r\n ", "") if found else ""
        head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Clinicweave//Clinicweave//EN\r\n"
        return Item(
            collection=self,
            href=f"{make_file_name(uid)}.ics",
            text=f"{head}{rules}{event}END:VCALENDAR\r\n",
            last_modified=self.last_modified,
        )


class Storage(BaseStorage):
    """The store, of which nothing is written."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self._context = create_context(read_settings())

    def discover(
        self,
        path: str,
        depth: str = "0",
        child_context_manager: Callable[..., Any] | None = None,
        user_groups: Iterable[str] = (),
    ) -> Iterator[Collection | Item]:
        """Yield what is at a path, and with another depth than 0 what is right below it."""
        parts = [part for part in path.split("/") if part]
        if not parts:
            yield Collection("")
            return
        owned = calendars_of(self._context, parts[0])
        if owned is None:
            return
        if len(parts) == 1:
            yield Collection(parts[0])
            yield from (self._calendar(parts[0], one) for one in (owned if depth != "0" else ()))
            return
        found = next((one for one in owned if one.name == parts[1]), None)
        if found is None:
            return
        calendar = self._calendar(parts[0], found)
        if len(parts) == 2:
            yield calendar
            yield from calendar.get_all() if depth != "0" else ()
        elif len(parts) == 3:
            yield from (item for item in calendar.get_all() if item.href == parts[2])

    def move(self, item: Item, to_collection: BaseCollection, to_href: str) -> None:
        """Refuse to be written to."""
        raise PermissionError(NO_WRITING)

    def create_collection(self, href: str, items: Any = None, props: Any = None) -> Any:
        """Refuse to be written to."""
        raise PermissionError(NO_WRITING)

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        """Wait for nobody: the store sees to it that each reading is of one moment."""
        yield

    def verify(self) -> bool:
        """Say that the store can be read."""
        return True

    def _calendar(self, user: str, one: Owned) -> CalendarCollection:
        return CalendarCollection(
            f"{user}/{one.name}", f"{one.kind} {one.subject}", get_current_copy(self._context, one.kind, one.subject)
        )


def calendars_of(context: AppContext, user: str) -> list[Owned] | None:
    """Return the calendars that an account may read: a clinician's own, all those of staff for others; None without account."""
    with context.database.reading() as session:
        account = accounts.find_account_by_name(session, user)
        if account is None or not account.is_active:
            return None
        if AccessRole(account.role) is AccessRole.CLINICIAN:
            found: list[tuple[FeedKind, str]] = [("provider", account.provider_id or "")]
        else:
            found = feeds.list_subjects(session, periods.clinic_of(session))
    return [Owned(f"{kind}-{make_file_name(subject)}", kind, subject) for kind, subject in found]
