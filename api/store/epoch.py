"""The store's epoch: which past its versions count.

A version alone does not say what a row holds: after a restore the same number may come a second time, for something else. So
whatever is kept or compared by a version is kept and compared by the epoch too. A backup holds none: until the
restored store is given one, every session has its own, and nothing that was kept is found.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert
from sqlmodel import Session, select

from api.store.columns import new_id
from api.store.tables import EpochRow

EPOCH = "epoch"
"""Where a session carries what :func:`get_epoch` returns."""


class Version(NamedTuple):
    """A version of something in one past of the store."""

    epoch: str
    number: int


def make_tag(version: Version) -> str:
    """Return a version as an entity tag (RFC 9110, section 8.8.3)."""
    return f'"{version.number}.{version.epoch}"'


def read_tag(text: str) -> Version | None:
    """Return the version that an entity tag names; None when it is none of ours."""
    match = _TAG.fullmatch(text.strip())
    return None if match is None else Version(match["epoch"], int(match["number"]))


_TAG = re.compile(r'"(?P<number>[0-9]{1,9})\.(?P<epoch>[0-9A-Za-z-]{1,64})"')


def get_epoch(session: Session) -> str:
    """Return the epoch of the store."""
    known = session.info.get(EPOCH)
    if not isinstance(known, str):
        known = session.info[EPOCH] = session.connection().execute(select(EpochRow.id)).scalar() or new_id()
    return known


def begin_epoch(connection: Connection, anew: bool = False) -> None:
    """Give a store an epoch, unless it has one; ``anew`` gives it another."""
    if anew:
        connection.execute(delete(EpochRow))
    if connection.execute(select(EpochRow.id)).first() is None:
        connection.execute(insert(EpochRow).values(id=new_id()))
