"""What a restore does not take back: the audit, and who was put out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from api.store import audit
from api.store.columns import TableRow
from api.store.database import Database
from api.store.errors import StoreError
from api.store.migrations import expect_migrated
from api.store.rows import insert_all
from api.store.tables import AccountRow, AuditRow, FeedRow, PatientLinkRow, SessionRow, TokenRow

REVOCABLE: tuple[type[TableRow], ...] = (TokenRow, PatientLinkRow, FeedRow)

ROWS_AT_ONCE = 1000


@dataclass
class Kept:
    """What the store held before it was restored.

    Attributes
    ----------
    audit : file
        The rows of the audit, a line of JSON each.
    revoked : mapping
        By table, when what was revoked; of accounts, which were closed.
    """

    audit: IO[str]
    revoked: dict[type[TableRow], dict[str, datetime]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)


@contextmanager
def kept_over_restore(database: Database) -> Iterator[Kept]:
    """Keep what a restore must not take back, until the block ends; of a store that cannot be read, nothing."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        kept = Kept(file)
        try:
            expect_migrated(database)
            with database.reading() as session:
                _keep(session, kept)
        except StoreError:
            file.truncate(0)
            kept = Kept(file)
        file.seek(0)
        yield kept


def put_back(database: Database, kept: Kept, now: datetime) -> None:
    """Bring a restored store to what it must not have forgotten, and write down that it was restored."""
    with database.writing() as session:
        restored = audit.get_tail(session)
        continues = _continue_audit(session, kept, restored)
        for kind, revoked in kept.revoked.items():
            rows: Any = kind
            for identifier, moment in revoked.items():
                query = update(rows).where(rows.id == identifier, rows.revoked_at.is_(None))
                session.exec(query.values(revoked_at=moment))
        for identifier in kept.closed:
            session.exec(update(AccountRow).where(col(AccountRow.id) == identifier).values(is_active=False))
        session.exec(delete(SessionRow))
        detail = {"to": restored.sequence, "continues": continues}
        entry = audit.AuditEntry("command-line", "admin", "store.restore", "store", "", "allowed", detail)
        audit.append(session, entry, now)


def _keep(session: Session, kept: Kept) -> None:
    query = select(AuditRow).order_by(col(AuditRow.sequence)).execution_options(yield_per=ROWS_AT_ONCE)
    for row in session.exec(query):
        kept.audit.write(json.dumps({**row.model_dump(), "at": row.at.isoformat()}) + "\n")
    for kind in REVOCABLE:
        rows: Any = kind
        kept.revoked[kind] = dict(session.exec(select(rows.id, rows.revoked_at).where(rows.revoked_at.is_not(None))).all())
    kept.closed = list(session.exec(select(AccountRow.id).where(~col(AccountRow.is_active))))


def _continue_audit(session: Session, kept: Kept, restored: audit.Tail) -> bool:
    """Put the rows back that came after those of the backup; return whether they go on from it, else they are not put back."""
    goes_on = restored.sequence == 0
    while lines := list(islice(kept.audit, ROWS_AT_ONCE)):
        rows = []
        for line in lines:
            row = json.loads(line)
            if row["sequence"] == restored.sequence:
                goes_on = row["hash"] == restored.hash
            if row["sequence"] > restored.sequence and goes_on:
                rows.append({**row, "at": datetime.fromisoformat(row["at"])})
        insert_all(session, AuditRow, rows)
    return goes_on
