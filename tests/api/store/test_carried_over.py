"""A restore goes back with everything but the audit, and lets nobody in again who was put out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support.service import peopled
from support.stored import NOW

from api.store import audit
from api.store.audit import AuditEntry
from api.store.audit_protection import is_protected, write_protection, write_release
from api.store.backup import backup, restore
from api.store.columns import new_id
from api.store.database import Database
from api.store.errors import StoreInUse, StoreUnusable
from api.store.queries import accounts
from api.store.serving import occupied
from api.store.tables import AccountRow, SessionRow, TokenRow


@pytest.fixture
def store(store: Database) -> Iterator[Database]:
    peopled(store)
    return store


def read(store: Database) -> list[str]:
    with store.reading() as session:
        return [row.action for row in audit.list_entries(session)]


def done(store: Database, action: str) -> None:
    with store.writing() as session:
        audit.append(session, AuditEntry("desk", "scheduler", action, "visit", "v", "allowed", {}), NOW)


def account_of(store: Database, name: str) -> AccountRow:
    with store.reading() as session:
        row = accounts.find_account_by_name(session, name)
    assert row is not None
    return row


def test_the_audit_goes_on_over_a_restore(store: Database, tmp_path: Path) -> None:
    backup(store, tmp_path / "copy")
    done(store, "after.backup")
    with store.reading() as session:
        noted = audit.get_tail(session)
    restore(store, tmp_path / "copy", NOW)
    assert read(store) == ["account.add"] * 3 + ["after.backup", "store.restore"]
    with store.reading() as session:
        assert audit.verify(session, noted).sequence == 5
    done(store, "later")
    restore(store, tmp_path / "copy", NOW)
    assert read(store)[3:] == ["after.backup", "store.restore", "later", "store.restore"]


def test_an_audit_of_another_store_is_not_mixed_in(store: Database, tmp_path: Path, sqlite_url: str) -> None:
    backup(store, tmp_path / "copy")
    with store.writing() as session:
        session.connection().exec_driver_sql(
            "DROP TRIGGER audit_update" if store.is_sqlite else "DROP TRIGGER audit_change ON audit"
        )
        session.connection().exec_driver_sql("UPDATE audit SET hash = 'another' WHERE sequence = 3")
    done(store, "after.backup")
    restore(store, tmp_path / "copy", NOW)
    with store.reading() as session:
        last = audit.list_entries(session)[-1]
        assert (last.sequence, last.action, last.detail["continues"]) == (4, "store.restore", False)
        audit.verify(session)


def test_whoever_was_put_out_stays_out(store: Database, tmp_path: Path) -> None:
    account, closed = account_of(store, "scheduler"), account_of(store, "clinician")
    later = NOW + timedelta(days=9)
    with store.writing() as session:
        for name in ("ended", "good"):
            session.add(TokenRow(id=name, name=name, secret_hash=name, account_id=account.id, created_at=NOW, expires_at=later))
        session.add(
            SessionRow(id=new_id(), secret_hash="s", account_id=account.id, created_at=NOW, last_seen_at=NOW, expires_at=later)
        )
    backup(store, tmp_path / "copy")
    with store.writing() as session:
        accounts.revoke_credential(session, "ended", NOW)
        row = accounts.get_account(session, closed.id)
        row.is_active = False
        session.add(row)
    restore(store, tmp_path / "copy", NOW)
    with store.reading() as session:
        revoked = {token.id: token.revoked_at for token in session.exec(select(TokenRow))}
        assert revoked == {"ended": NOW, "good": None}
        assert session.exec(select(SessionRow)).all() == []
    assert not account_of(store, "clinician").is_active


def test_nobody_restores_what_is_served_from(store: Database) -> None:
    with occupied(store), occupied(store), pytest.raises(StoreInUse), occupied(store, alone=True):
        pass
    with occupied(store, alone=True), pytest.raises(StoreInUse), occupied(store):
        pass
    with occupied(store):
        pass


def test_an_administrator_keeps_the_audit_from_the_service(postgresql_url: str) -> None:
    administrator = Database(postgresql_url)
    assert is_protected(administrator) is False  # a superuser's is never
    owner, role = f"owner_{new_id()}", f"service_{new_id()}"
    given = ("ALTER TABLE audit OWNER TO", "GRANT ALL ON ALL TABLES IN SCHEMA public TO", "GRANT USAGE ON SCHEMA public TO")
    run(administrator, f"CREATE ROLE {role} LOGIN", *(f"{grant} {role}" for grant in given))
    service = Database(postgresql_url.replace("//clinic@", f"//{role}@"))
    assert is_protected(service) is False
    run(service, "ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit ENABLE TRIGGER USER")  # its owner could
    run(administrator, *write_protection(owner, role))
    assert is_protected(service) is True
    done(service, "after.protection")
    for statement in ("DELETE FROM audit", "TRUNCATE audit", "ALTER TABLE audit DISABLE TRIGGER USER", "DROP TABLE audit"):
        with pytest.raises(StoreUnusable, match="audit protect --release"):
            run(service, statement)
    service.close()
    run(administrator, *write_release(owner, role), f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    administrator.close()


def run(store: Database, *statements: str) -> None:
    with store.writing() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize("name", ["", "a b", "x;DROP", "Übel", "a" * 64])
def test_what_is_no_role_is_refused(name: str) -> None:
    with pytest.raises(Exception, match="role"):
        list(write_protection(name, "clinicweave"))
    with pytest.raises(Exception, match="role"):
        list(write_release("clinicweave_audit", name))
