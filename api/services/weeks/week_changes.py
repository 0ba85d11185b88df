"""What has been changed in a week since a version of it, and by whom: whatever process did it, the store knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from api.runtime.exceptions import ErrorDetail
from api.store import audit
from api.store.epoch import Version
from api.store.queries import accounts, bookings, periods
from api.store.tables import AuditRow
from api.web.words import load_words
from api.web.words.sentences import describe_action

MOST = 500
"""Changes that are looked at, the latest."""

MOST_NAMED = 20
"""Changes that a refusal names."""

OF_NO_WEEK = ("absence", "closure", "extra-shift", "clinic")
"""Kinds of objects that concern every week of their dates."""


@dataclass(frozen=True, slots=True)
class WeekChange:
    """Something that was changed: who did it, to what, and in a sentence without patients' names."""

    by: str
    name: str
    kind: str
    id: str
    words: str


@dataclass(frozen=True, slots=True)
class WeekChanges:
    """A week's present version, and what has been changed since another; ``changes`` is None when nobody knows any more."""

    version: Version
    changes: tuple[WeekChange, ...] | None
    visits: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def by(self) -> dict[str, str]:
        """Who has changed something: names by ids, in the order of their first changes."""
        return {change.by: change.name for change in self.changes or ()}


def find_week_changes(session: Session, period_id: str, since: Version | None) -> WeekChanges:
    """Return what has been changed in a week since a version, the earliest first. Raises ``UnknownId``."""
    present = periods.get_version(session, period_id)
    if since == present:
        return WeekChanges(present, ())
    before = None
    if since is not None and since.epoch == present.epoch:
        before = periods.find_sequence_before(session, period_id, since.number)
    if before is None:
        return WeekChanges(present, None)
    rows = audit.list_done(session, before, load_words()["actions"].keys(), MOST)
    return _describe(session, period_id, present, rows)


def list_details(since: WeekChanges) -> list[ErrorDetail]:
    """Return the latest changes as the reasons for which an older version cannot be changed any more."""
    latest = (since.changes or ())[-MOST_NAMED:]
    return [ErrorDetail(change.words, words=change.words, path=f"{change.kind}s/{change.id}") for change in latest]


def _describe(session: Session, period_id: str, present: Version, rows: Sequence[AuditRow]) -> WeekChanges:
    scenario = periods.load_scenario(session, period_id)
    here = {row.subject_id for row in bookings.list_rows(session, period_id)}
    here |= scenario.visits_by_id.keys() | scenario.groups_by_id.keys()
    concerned = [row for row in rows if _concerns(row, period_id, here)]
    names = accounts.get_names(session, {row.actor for row in concerned})
    changed = {name for row in concerned for name in row.detail.get("changed", [])}
    visits = {row.object_id for row in concerned if row.object_kind == "visit"}
    groups = {row.object_id for row in concerned if row.object_kind == "group"}
    return WeekChanges(
        version=present,
        changes=tuple(
            WeekChange(
                by=row.actor,
                name=names.get(row.actor, row.role),
                kind=row.object_kind,
                id=row.object_id,
                words=describe_action(row.action, names.get(row.actor, row.role), scenario, row.detail),
            )
            for row in concerned
        ),
        visits=tuple(sorted(visits | (changed & scenario.visits_by_id.keys()))),
        groups=tuple(sorted(groups | (changed & scenario.groups_by_id.keys()))),
    )


def _concerns(row: AuditRow, period_id: str, here: set[str]) -> bool:
    """Return whether something that was done concerns a period."""
    if row.object_kind in ("visit", "group"):
        return row.object_id in here
    return row.object_kind in OF_NO_WEEK or period_id in (row.object_id, row.detail.get("scenario"))
