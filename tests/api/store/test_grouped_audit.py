"""Who reads at once is written down together; nobody is answered who is not written down."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from support.stored import NOW

from api.store import audit
from api.store.audit import AuditEntry
from api.store.database import Database
from api.store.errors import StoreBusy, StoreUnwritable
from api.store.grouped_audit import GroupedAudit


def entry(name: str) -> AuditEntry:
    return AuditEntry(name, "scheduler", "visit.read", "visit", "v", "allowed", {})


def written_by_many(store: Database, count: int) -> list[BaseException]:
    """Let many write while another writer holds the store, and return what any of them met."""
    grouped, failures = GroupedAudit(store), []
    waiting = threading.Barrier(count + 1)

    def write(name: str) -> None:
        waiting.wait(60)
        try:
            grouped.write(entry(name), NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"reader-{number}",)) for number in range(count)]
    with store.writing():
        for thread in threads:
            thread.start()
        waiting.wait(60)
    for thread in threads:
        thread.join()
    return failures


def test_all_who_read_at_once_are_kept_in_one_chain(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    append = audit.append_dated

    def counted(session: Any, entries: Any) -> None:
        entries = list(entries)
        commits.append(len(entries))
        append(session, entries)

    monkeypatch.setattr(audit, "append_dated", counted)
    assert written_by_many(store, 20) == []
    with store.reading() as session:
        assert audit.verify(session).sequence == 20
        assert {row.actor for row in audit.list_entries(session)} == {f"reader-{number}" for number in range(20)}
    assert sum(commits) == 20 and len(commits) <= 20


def test_nobody_is_told_that_it_is_kept_when_it_is_not(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise StoreUnwritable("the disk is full")

    monkeypatch.setattr(audit, "append_dated", refuse)
    failures = written_by_many(store, 5)
    assert [type(failure) for failure in failures] == [StoreUnwritable] * 5


def test_a_defect_is_everybodys_who_waits_for_it(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "append_dated", lambda *_: 1 / 0)
    failures = written_by_many(store, 5)
    assert [type(failure) for failure in failures] == [ZeroDivisionError] * 5


def test_whoever_cannot_begin_is_told_so_and_the_next_is_kept(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Database(sqlite_url)
    grouped = GroupedAudit(store)
    with monkeypatch.context() as patched:
        patched.setattr("api.store.database.WAIT_SECONDS", 0.01)
        with store.writing(), pytest.raises(StoreBusy):
            grouped.write(entry("first"), NOW)
    grouped.write(entry("second"), NOW)
    with store.reading() as session:
        assert [row.actor for row in audit.list_entries(session)] == ["second"]
    store.close()
