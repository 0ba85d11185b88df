"""A hospital's FHIR server that nobody here wrote mirrors a whole week, whatever is killed meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from clients.peers import publish_week
from clients.waiting import until
from sqlmodel import select
from support.clients import key_set
from support.fhir_server import CLIENT, furnish_key
from support.mailserver import free_port
from support.processes import COMMAND, ROOT, environment
from support.service import SECRET
from support.stored import StoredWeek

from api.context import AppContext, create_context
from api.hl7.fhir_appointments import OWN_SYSTEM, STATUSES
from api.hl7.outbox import actor_of, has_outgoing, standing_appointments
from api.runtime.settings import read_settings
from api.services.bookings import by_hand, marks
from api.services.bookings.by_hand import RequestedPlace, find_period
from api.services.bookings.decisions import with_retries
from api.services.weeks.appointments import get_appointment
from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries.hl7 import out_messages
from api.store.tables import BookingRow
from scheduling.errors import ClinicweaveError

CHANGES, KILLS, SECONDS = 40, 10, 240
BY = actor_of("desk")
READER = "a-token-that-only-reads"
"""By which the test itself reads what stands there."""

PARTNER = """
[partners.hospital]
timezone = "America/New_York"
authority = "HOSPITAL"

[partners.hospital.fhir]
url = "{url}"
client = "{client}"
key = "{key}"
"""


@contextmanager
def hospital(peers: Path, folder: Path) -> Iterator[str]:
    """Run the hospital's server, which lets us in by our key alone, and yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/fhir"
    settings = {
        "base_url": url,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder),
        "simulator": {"enabled": False},
        "validation": {"inbound": "strict"},
        "log_inbound": False,
        "server_auth": {
            "types": ["smart", "bearer"],
            "tokens": [READER],
            "smart_clients": [{"client_id": CLIENT, "jwks": key_set(), "scopes": "system/*.*"}],
        },
    }
    file = folder / "settings.yaml"
    file.write_text(json.dumps(settings))
    with (folder / "server.log").open("w") as log:
        running = subprocess.Popen([peers / "sekmet", "serve", "--config", file], cwd=folder, stdout=log, stderr=log)
        try:
            until("the hospital", lambda: is_up(url))
            yield url
        finally:
            running.terminate()
            running.wait(30)


def is_up(url: str) -> bool:
    """Return whether a server answers."""
    try:
        return httpx2.get(f"{url}/metadata").status_code == 200
    except httpx2.HTTPError:
        return False


@contextmanager
def sending(url: str, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run our sender; at the end it is killed as ``kill -9`` does."""
    running = subprocess.Popen(
        [*COMMAND, "hl7"], cwd=ROOT, env=environment(url, partners=file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def test_a_whole_week_stands_there_once_whatever_is_killed(sqlite_url: str, peers: Path, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    context = create_context(read_settings(secret=SECRET, database_url=sqlite_url), database)
    week = publish_week(database, "week")
    with hospital(peers, tmp_path) as url:
        file = tmp_path / "partners.toml"
        file.write_text(PARTNER.format(url=url, client=CLIENT, key=furnish_key(tmp_path)))
        rng = Random(7)
        for _ in range(KILLS):
            with sending(sqlite_url, file):
                wait_for_more(database, rng.randint(5, 40))
        with sending(sqlite_url, file):
            until("an end", lambda: not is_owing(database), SECONDS)
        assert read_all(url) == list_standing(database)
        changed = [change for number in range(CHANGES) if (change := make_change(context, week, rng))]
        assert len(changed) > CHANGES / 2
        for _ in range(2):
            with sending(sqlite_url, file):
                wait_for_more(database, 3)
        with sending(sqlite_url, file):
            until("an end", lambda: not is_owing(database), SECONDS)
        assert read_all(url) == list_standing(database)
    context.close()


def make_change(context: AppContext, week: StoredWeek, rng: Random) -> str | None:
    """Move, cancel or mark a visit, and return what was done; None: it could not be."""
    visit = rng.choice(week.scenario.visits).id
    kind = rng.choice(("cancel", "move", "arrived", "no-show"))
    later = utc_now() + timedelta(days=40)
    try:
        if kind in ("arrived", "no-show"):
            context.database.write(lambda session: marks.mark(session, BY, visit, kind, None, later))
            return kind
        with context.database.reading() as session:
            stands = get_appointment(session, visit)
        assert stands.starts_at is not None and stands.location is not None
        zone = ZoneInfo(week.scenario.clinic.timezone)
        place = RequestedPlace(
            start=(stands.starts_at + timedelta(minutes=15)).astimezone(zone).replace(tzinfo=None),
            location=stands.location,
            room=stands.room,
            team=stands.team,
            supervisors=stands.supervisors,
        )
        with_retries(
            context,
            find_period(context.database, visit),
            lambda snapshot: (
                by_hand.decide_cancellation(snapshot, BY, visit, None, utc_now())
                if kind == "cancel"
                else by_hand.decide_move(snapshot, BY, visit, place, "a test", None, utc_now())
            ),
            by_hand.apply_cancellation if kind == "cancel" else by_hand.apply_placement,
            context.database.write,
        )
    except (ClinicweaveError, AssertionError):
        return None
    return kind


def wait_for_more(database: Database, count: int) -> None:
    """Wait until so many more messages were answered."""
    known = count_sent(database)
    until("an answer", lambda: count_sent(database) >= known + count, SECONDS)


def count_sent(database: Database) -> int:
    """Return how many messages were answered."""
    with database.reading() as session:
        return len(out_messages(session, "hospital", "sent", 100_000))


def is_owing(database: Database) -> bool:
    """Return whether there may be something that the hospital does not know."""
    with database.reading() as session:
        return has_outgoing(session, "hospital", utc_now())


def list_standing(database: Database) -> dict[str, tuple[str, str]]:
    """Return the status and start of everything that stands, by id."""
    with database.reading() as session:
        rows = session.exec(select(BookingRow).where(BookingRow.kind != "hold"))
        shown = [each for row in rows for each in standing_appointments(session, "hospital", row).values()]
    return {each.id: (STATUSES[each.status], each.starts_at.isoformat()) for each in shown}


def read_all(url: str) -> dict[str, tuple[str, str]]:
    """Return what stands at the hospital, by our id; nothing may stand there twice."""
    shown: dict[str, tuple[str, str]] = {}
    for resource in list_resources(url):
        (own,) = [part["value"] for part in resource["identifier"] if part["system"] == OWN_SYSTEM]
        assert own not in shown, f"{own} stands twice"
        shown[own] = (resource["status"], datetime.fromisoformat(resource["start"]).astimezone(UTC).isoformat())
    return {own: told for own, told in shown.items() if told[0] != "cancelled"}


def list_resources(url: str) -> Iterator[dict[str, Any]]:
    """Yield all appointments there, page by page."""
    page = f"{url}/Appointment?_count=200"
    while page:
        answer = httpx2.get(page, headers={"Authorization": f"Bearer {READER}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        yield from (entry["resource"] for entry in bundle.get("entry", ()))
        page = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
