"""A clinic with a made-up week that other programs of hospitals speak to, and where those programs are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
from joserfc.jwk import ECKey, RSAKey
from support.clients import EVERYTHING, key_set, parameters, sign
from support.mailserver import free_port
from support.processes import COMMAND, Served, served
from support.stored import StoredWeek

from api.services.accounts.accounts import SYSTEM
from api.services.accounts.clients import ASSERTION_TYPE, add_client
from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import periods
from api.store.queries.appointments import name_seat, name_session
from scheduling.generate import SizeName, generate
from scheduling.scenario import Scenario
from solver import plan_first_come

TODAY = utc_now().date()
MONDAY = TODAY + timedelta(days=14 - TODAY.weekday())
"""The Monday after next: others' programs go by the real clock."""

NAMES = ("first", "second")
"""Two systems of a hospital."""


@dataclass(frozen=True)
class Demo:
    """A running service over a published week, and the private keys of the systems that may come in, by name."""

    service: Served
    week: Scenario
    keys: dict[str, RSAKey | ECKey]

    @property
    def base(self) -> str:
        """The address of its FHIR server."""
        return f"{self.service.address}/fhir/r4"

    @property
    def appointments(self) -> list[str]:
        """The ids of all visits, of the sessions of groups that stand, and of the seats in them, in order."""
        ids = [visit.id for visit in self.week.visits]
        for booking in plan_first_come(self.week).groups:
            session = name_session(booking.group, self.week.groups_by_id[booking.group].month)
            ids += [session, *(name_seat(session, patient) for patient in booking.attendees)]
        return sorted(ids)

    def write_key(self, name: str, folder: Path) -> Path:
        """Write a system's private key as PEM, and return the file."""
        file = folder / f"{name}.pem"
        file.write_bytes(self.keys[name].as_pem(private=True))
        return file


def publish_week(database: Database, size: SizeName, start: date = MONDAY) -> StoredWeek:
    """Keep a made-up week in a store, planned first come, first served, and published."""
    week, now = generate(size, seed=7, start=start), utc_now()
    with database.writing() as session:
        periods.keep_scenario(session, week, now)
    stored = StoredWeek(database, week)
    stored.publish(plan_first_come(week), now)
    return stored


@contextmanager
def running_demo(url: str, size: SizeName = "tiny") -> Iterator[Demo]:
    """Serve a week, and let two systems in: one signs by RSA, one by an elliptic curve."""
    database = Database(url)
    week = publish_week(database, size).scenario
    keys: dict[str, RSAKey | ECKey] = {
        NAMES[0]: RSAKey.generate_key(2048, {"kid": "rsa"}, private=True),
        NAMES[1]: ECKey.generate_key("P-384", {"kid": "ec"}, private=True),
    }
    with database.writing() as session:
        for name, key in keys.items():
            add_client(session, SYSTEM, name, key_set(key), EVERYTHING, utc_now())
    database.close()
    port = free_port()
    command = (*COMMAND, "serve", "--port", str(port))
    with served(url, command=command, public_url=f"http://127.0.0.1:{port}") as service:
        yield Demo(service, week, keys)


def get_token(demo: Demo, scope: str = "system/*.rs system/*.read") -> str:
    """Return a token of the second system."""
    name, address = NAMES[1], f"{demo.service.address}/oauth/token"
    claims = {"iss": name, "sub": name, "aud": address, "exp": utc_now().timestamp() + 200, "jti": "clients"}
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "scope": scope}
    answer = httpx2.post(address, data=form | {"client_assertion": sign(claims, demo.keys[name])})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def describe_wish(demo: Demo) -> dict[str, Any]:
    """Return what ``$find`` is given, of a patient whom nobody knows yet."""
    newcomer = {"resourceType": "Patient", "identifier": [{"value": "newcomer"}], "name": [{"text": "Robin Newcomer"}]}
    return parameters(
        start={"valueDateTime": MONDAY.isoformat()},
        end={"valueDateTime": (MONDAY + timedelta(days=4)).isoformat()},
        visit_type={"valueString": min(visit.service for visit in demo.week.visits)},
        patient_resource={"resource": newcomer},
    )


def read_json(file: Path) -> Any:
    """Return what a file of JSON holds."""
    return json.loads(file.read_text(encoding="utf-8"))
