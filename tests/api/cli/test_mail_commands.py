"""Mail from the machine itself: addresses from a file, all or none, and sending what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.service import SECRET, peopled

from api.store.database import Database
from api.store.queries import people


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Return a store with patients, which the commands find by the environment."""
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CLINICWEAVE_SECRET", SECRET)
    database = Database(sqlite_url)
    peopled(database)
    database.close()
    return database


def addresses(store: Database) -> dict[str, str | None]:
    with store.reading() as session:
        found = {name: people.get_patient(session, name).email for name in ("pat", "quin")}
    store.close()
    return found


def test_addresses_come_from_a_file(run: Any, store: Database, tmp_path: Path) -> None:
    file = tmp_path / "addresses.csv"
    file.write_text("pat,pat@patients.example\nquin,quin@patients.example\n")
    assert run("mail", "contacts", str(file), "--json").json == {"read": 2, "changed": 2}
    file.write_text("\ufeffpat, pat@elsewhere.example\nquin,\n")
    assert run("mail", "contacts", str(file), "--json").json == {"read": 2, "changed": 2}
    assert addresses(store) == {"pat": "pat@elsewhere.example", "quin": None}
    assert run("mail", "contacts", str(file), "--json").json == {"read": 2, "changed": 0}


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ("nobody,nobody@patients.example", "nobody: is no patient"),
        ("quin,no address", "quin: is no mail address"),
        ("quin", "line 2: is not a patient's id and an address"),
    ],
)
def test_of_a_file_with_a_fault_nothing_is_kept(run: Any, store: Database, tmp_path: Path, second: str, fault: str) -> None:
    file = tmp_path / "addresses.csv"
    file.write_text(f"pat,pat@patients.example\n{second}\n")
    found = run("mail", "contacts", str(file))
    assert found.code == 2 and fault in found.err
    assert addresses(store) == {"pat": None, "quin": None}


def test_without_a_mail_server_nothing_is_sent(run: Any, store: Database) -> None:
    found = run("mail", "send")
    assert found.code == 2 and "CLINICWEAVE_SMTP_HOST" in found.err
    store.close()


@pytest.mark.parametrize("settings_of", [{"SMTP_HOST": "mail.example"}, {"MAIL_FROM": "a@b\r\nBcc: c@d", "LMTP_PORT": "24"}])
def test_mail_needs_an_address_to_come_from(
    run: Any, store: Database, monkeypatch: pytest.MonkeyPatch, settings_of: dict[str, str]
) -> None:
    for name, value in settings_of.items():
        monkeypatch.setenv(f"CLINICWEAVE_{name}", value)
    found = run("mail", "send")
    assert found.code == 2 and "mail_from" in found.err
    store.close()


def test_a_clinician_is_mailed_of_the_day_and_no_more(run: Any, store: Database) -> None:
    assert run("mail", "day", "ana", "ana@clinic.example", "--json").json == {"provider": "ana", "email": "ana@clinic.example"}
    assert run("mail", "day", "ana", "no address").code == 2
    assert run("mail", "day", "nobody", "ana@clinic.example").code == 2
    assert run("mail", "day", "ana", "--json").json == {"provider": "ana", "email": None}
