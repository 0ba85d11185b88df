"""How long hospital systems wait: ``$find``, searches, all appointments of a week as SIU, and a referral by REF.

Run: ``python tests/benchmarks/bench_fhir.py [WEEK]``. The week is a scenario's file, else a made-up one of 680 visits; it is
planned first come, first served, in a store of its own. Every request goes through the whole application, but for the network;
SIU go to node-hl7-server over loopback, where ``tests/clients/install`` has put it. All times are by the clock on the wall.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from time import perf_counter

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from clients.installed import HERE, Installed, folder
from clients.waiting import listens, until
from fastapi.testclient import TestClient
from sqlmodel import col, select
from support.clients import furnish_client, parameters, refer_to
from support.frontdesk import FrontDesk
from support.hospital import Hospital
from support.mailserver import free_port
from support.mllp import LOOPBACK
from support.partners import partner
from support.service import SECRET, Clock, bearer
from support.stored import NOW, StoredWeek

from api.context import AppContext, create_context
from api.hl7.acks import read_ack
from api.hl7.channels import MllpChannel
from api.hl7.inbox import Inbox
from api.hl7.partners import Partners, Send
from api.hl7.sender import PartnerSender
from api.hl7.worker import InboxWorker
from api.http.app import create_app
from api.runtime.settings import Settings
from api.services.intake.kinds import find_same_day_kind
from api.store.database import Database
from api.store.migrations import migrate
from api.store.queries import bookings, periods
from api.store.tables import VisitRow
from scheduling.generate import generate
from scheduling.scenario import Scenario
from solver import plan_first_come

ROUNDS, REFERRALS = 20, 5

REFERRAL = (
    "MSH|^~\\&|EHR|HOSPITAL|CLINICWEAVE|CLINIC|{now}||REF^I12^REF_I12|R-{number}|P|2.5.1\r"
    "RF1||S|||||{now}\rPRD|RP|Gray^Kim\rPID|1||new-{number}^^^HOSPITAL^MR||Doe^Jo\r"
    "OBR|1|o-{number}||24725-4^Pain\r"
)


def measure(hospital: Hospital, method: str, path: str, body: object = None) -> float:
    """Return how long a request takes, s."""
    began = perf_counter()
    answer = hospital.ask(method, path, body)
    assert answer.status_code == 200, answer.text
    return perf_counter() - began


def report(name: str, seconds: list[float]) -> None:
    """Print the median and the slowest but one in twenty."""
    ordered = sorted(seconds)
    slow = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(f"{name}: p50 {statistics.median(ordered) * 1000:.0f} ms, p95 {slow * 1000:.0f} ms ({len(ordered)} requests)")


def read_week() -> Scenario:
    """Return the week that is asked for."""
    return Scenario.read(Path(sys.argv[1])) if len(sys.argv) > 1 else generate("week", seed=7)


@contextmanager
def published(week: Scenario) -> Iterator[tuple[AppContext, Clock]]:
    """Open the service over a week that is planned and published, early on its first day."""
    place = Path(tempfile.mkdtemp())
    url = f"sqlite:///{place / 'store.db'}"
    database = Database(url)
    migrate(database)
    with database.writing() as session:
        periods.keep_scenario(session, week, NOW)
    StoredWeek(database, week).publish(plan_first_come(week))
    database.close()
    clock = Clock()
    clock.now = week.grid.utc(datetime.combine(week.horizon.start, time(7)))
    yield create_context(Settings(database_url=url, secret=SECRET), clock=clock), clock
    shutil.rmtree(place)


def measure_fhir(context: AppContext, clock: Clock, week: Scenario) -> None:
    """Find places, and search and read appointments."""
    headers = bearer(furnish_client(context.database, clock()))
    with TestClient(create_app(context)) as client:
        hospital = Hospital(FrontDesk(client, context, clock, {}, {}), headers)
        print(f"{len(week.visits)} visits, {hospital.get('Appointment?_count=1')['total']} appointments")
        services = sorted({visit.service for visit in week.visits})
        patients = [visit.patient for visit in week.visits]
        found = []
        for number in range(ROUNDS):
            wanted = parameters(
                start={"valueDateTime": str(week.horizon.start)},
                end={"valueDateTime": str(week.horizon.end)},
                visit_type={"valueString": services[number % len(services)]},
                patient_reference=refer_to("Patient", patients[number * 7 % len(patients)]),
            )
            found.append(measure(hospital, "POST", "Appointment/$find", wanted))
        report("$find", found)
        report("search, a page of 100", [measure(hospital, "GET", "Appointment?_count=100") for _ in range(ROUNDS)])
        report("read", [measure(hospital, "GET", f"Appointment/{week.visits[number].id}") for number in range(ROUNDS)])


def measure_sending(context: AppContext) -> None:
    """Send every appointment to node-hl7-server."""
    packages = Installed(folder()).node_packages
    if not (packages / "node_modules" / "node-hl7-server").is_dir():
        print("SIU: not measured, node-hl7-server is not installed (tests/clients/install)")
        return
    port = free_port()
    command = ["node", str(HERE / "drivers" / "hl7_serve.mjs"), "node-hl7-server", str(port)]
    server = subprocess.Popen(command, env=os.environ | {"NODE_PACKAGES": str(packages)}, stdout=subprocess.DEVNULL)
    try:
        until("node-hl7-server", lambda: listens(port))
        sender = PartnerSender(context, "hospital", partner(), MllpChannel(Send(host=LOOPBACK, port=port)))

        async def send() -> int:
            sent = await sender.send_due()
            await sender.close()
            return sent

        began = perf_counter()
        sent = asyncio.run(send())
        print(f"SIU to node-hl7-server: {sent} in {perf_counter() - began:.1f} s")
    finally:
        server.terminate()
        server.wait()


def measure_referrals(context: AppContext, clock: Clock, week: Scenario) -> None:
    """Take referrals of today in, one an hour, until each has its place."""
    kind = next(kind for service in week.clinic.services if (kind := find_same_day_kind(service.id)) is not None)
    hospital = partner(receive={"addresses": [LOOPBACK]}).changed(kinds={"24725-4": kind.id})
    partners = Partners.model_construct(listen=None, partners={"hospital": hospital})
    inbox, worker = Inbox(context, partners, lambda: None), InboxWorker(context, partners)
    taken = []
    for number in range(REFERRALS):
        content = REFERRAL.format(now=f"{clock():%Y%m%d%H%M%S}-0000", number=number).encode()
        began = perf_counter()
        answer = read_ack(inbox.receive(content, LOOPBACK))
        worker.work_off()
        taken.append(perf_counter() - began)
        assert answer.is_accepted, answer.words
        clock.now += timedelta(hours=1)
    with context.database.reading() as session:
        visits = session.exec(select(VisitRow).where(col(VisitRow.patient_id).startswith("new-"))).all()
        stand = [visit for visit in visits if bookings.find_booking(session, ("visit", visit.id, "")) is not None]
    print(f"{len(stand)} of {REFERRALS} referrals have their place in the week")
    report("a referral by REF^I12", taken)


def main() -> None:
    """Measure, and print."""
    week = read_week()
    with published(week) as (context, clock):
        measure_fhir(context, clock, week)
        measure_sending(context)
        measure_referrals(context, clock, week)


if __name__ == "__main__":
    main()
