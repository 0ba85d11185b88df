"""A disk that is full, or a file that may only be read: what writes is told so, what reads goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, event
from support.service import OWN
from support.stored import NOW

from api.context import AppContext
from api.store import audit
from api.store.database import Database
from api.store.errors import StoreUnwritable


@contextmanager
def limited(database: Database, pragma: str) -> Iterator[None]:
    """Let SQLite refuse to write, as on a full disk or in a file that may only be read."""

    def refuse(connection: Connection) -> None:
        connection.exec_driver_sql(pragma)

    event.listen(database.engine, "begin", refuse)
    try:
        yield
    finally:
        event.remove(database.engine, "begin", refuse)
        database.engine.dispose()


READ_ONLY = "PRAGMA query_only = ON"


def test_what_writes_is_503_and_what_reads_goes_on(client: TestClient, context: AppContext, as_role: Any) -> None:
    headers = as_role("scheduler")
    assert client.get("/readyz").status_code == 200
    with limited(context.database, READ_ONLY):
        written = client.post(f"/v1/visits/{OWN}/links", json={}, headers=headers)
        audited = client.get("/v1/tasks", headers=headers)
        read = client.get("/v1/scenarios", headers=headers)
        ready, alive = client.get("/readyz"), client.get("/healthz")
    assert [answer.status_code for answer in (written, audited, read, ready, alive)] == [503, 503, 200, 503, 200]
    assert "not answered" in audited.json()["detail"] and "items" not in audited.json()
    again = client.get("/readyz")
    assert again.status_code == 200, again.text
    assert client.get("/v1/tasks", headers=headers).status_code == 200


def test_a_full_disk_is_told_and_nothing_is_half_done(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    large = audit.AuditEntry("desk", "scheduler", "visit.move", "visit", "v" * 1_000_000, "allowed", {})
    with (
        limited(database, "PRAGMA max_page_count = 1"),  # no more pages than there are
        pytest.raises(StoreUnwritable, match="the disk is full"),
        database.writing() as session,
    ):
        audit.append(session, large, NOW)
    assert not database.is_writable
    database.expect_writable()
    assert database.is_writable
    with database.writing() as session:
        assert audit.get_tail(session).sequence == 0
        audit.append(session, large, NOW)
    database.close()
