"""A clinic whose service runs beside its mail host: it books, moves and cancels, and hears what patients answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import httpx2
from clients.mailhost import PASSWORD, MailHost
from clients.waiting import PATIENCE_SECONDS, until
from support import factories
from support.frontdesk import furnish, wanted
from support.outbox import give_addresses
from support.processes import Served, served
from support.service import Clock, bearer

from api.store.columns import utc_now
from api.store.database import Database

CLINIC = "appointments@clinic.example"
VISITS = ("first", "second")
TODAY = utc_now().date()
DAY = TODAY + timedelta(days=14 - TODAY.weekday())
"""The Monday after next: real clients go by the real clock."""


def instant(clock: str) -> float:
    """Return a clock time of the day, by the clinic's clocks, in seconds since 1970."""
    return datetime.fromisoformat(f"{DAY}T{clock}").replace(tzinfo=ZoneInfo("America/New_York")).timestamp()


@dataclass(frozen=True)
class Clinic:
    """A running service over one week, asked as a scheduler."""

    service: Served
    mail: MailHost
    token: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask for something that is granted, and return the answer."""
        answer = self._send(method, path, body, headers)
        assert answer.status_code < 300, answer.text
        return answer

    def book(self, visit: str, clock: str) -> None:
        """Book a visit on the day."""
        self.ask("POST", f"/v1/visits/{visit}/booking", wanted(f"{DAY}T{clock}"))

    def move(self, visit: str, clock: str) -> None:
        """Move a visit to another time of the day."""
        self._change("PATCH", visit, wanted(f"{DAY}T{clock}"))

    def cancel(self, visit: str) -> None:
        """Cancel a visit."""
        self._change("DELETE", visit)

    def await_answer(self, visit: str, participation: str) -> None:
        """Wait until a patient's answer has reached the visit."""

        def noted() -> bool:
            answers = self.ask("GET", f"/v1/scenarios/{factories.scenario_fields()['id']}/answers").json()["items"]
            return any((answer["subject"], answer["participation"]) == (visit, participation) for answer in answers)

        until(f"{participation} on {visit}", noted)

    def subscribe(self) -> str:
        """Return the address of a feed of ana."""
        told = self.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).json()["url"]
        return self.service.address + "/calendars/" + told.partition("/calendars/")[2]

    def polls(self) -> Sequence[int]:
        """Return what the polls of feeds were answered, in order, by the service's log."""
        requests = (json.loads(line) for line in list(self.service.log) if line.startswith("{"))
        return [request["status"] for request in requests if str(request.get("route", "")).startswith("/calendars/")]

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> httpx2.Response:
        """Ask, with the patience that the other programs are given: they all share the machine."""
        address, sent = self.service.address + path, self.token | headers
        return httpx2.request(method, address, json=body, headers=sent, timeout=PATIENCE_SECONDS)

    def _change(self, method: str, visit: str, body: Any = None) -> None:
        """Change a visit as it stands now; should its patient's answer come in at the same moment, read it again."""
        booking = f"/v1/visits/{visit}/booking"

        def granted() -> bool:
            asking = {"If-Match": self.ask("GET", booking).headers["etag"]}
            answer = self._send(method, booking, body, asking)
            assert answer.status_code < 300 or answer.status_code == HTTPStatus.PRECONDITION_FAILED, answer.text
            return answer.status_code < 300

        until(f"a change of {visit}", granted)


@contextmanager
def running_clinic(url: str, mail: MailHost, patient: str) -> Iterator[Clinic]:
    """Run the service over a store in which the visits of a patient with an address wait, ``PATIENT-first`` and so on."""
    week = factories.week(days=[DAY.isoformat()])
    visits = [factories.visit(f"{patient}-{name}", patient) for name in VISITS]
    horizon = {"start": DAY.isoformat(), "end": (DAY + timedelta(days=5)).isoformat()}
    scenario = factories.scenario(
        *visits,
        horizon=horizon,
        providers=factories.people(factories.provider("ana", shifts=week)),
        patients=[factories.patient(patient)],
    )
    database, now = Database(url), utc_now()
    token, _ = furnish(database, scenario, None, Clock(now))
    give_addresses(database, now, patient)
    database.close()
    settings = {
        "mail_hold_seconds": 0,
        "smtp_host": "localhost",
        "smtp_port": mail.smtp_port,
        "mail_from": CLINIC,
        "imap_host": "localhost",
        "imap_port": mail.imap_port,
        "imap_user": CLINIC,
        "imap_password": PASSWORD,
        "imap_seconds": 1,
    }
    with patch.dict(os.environ, SSL_CERT_FILE=str(mail.certificate)), served(url, **settings) as service:
        yield Clinic(service, mail, bearer(token))
