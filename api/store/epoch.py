"""The store's epoch: which past its versions count.

A version alone does not say what a row holds: after a restore the same number may come a second time, for something else. So
whatever is kept or compared by a version is kept and compared by the epoch too. A backup holds none: until the
restored store is given one, every session has its own, and nothing that was kept is found.
"""

from __future__ import annotations

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
