"""How long hospital systems wait: ``$find`` on a week of 680 visits, and a page of a search.

Run: ``python tests/benchmarks/bench_fhir.py``. The week is a made-up one, planned first come, first served, in a store of its
own; every request goes through the whole application, but for the network. Times are of the process alone.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from datetime import datetime, time
from pathlib import Path
from time import process_time

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from fastapi.testclient import TestClient
from support.clients import furnish_client, parameters, refer_to
from support.frontdesk import FrontDesk
from support.hospital import Hospital
from support.service import SECRET, Clock, bearer
from support.stored import NOW, StoredWeek

from api.context import create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.store.database import Database
from api.store.migrations import migrate
from api.store.queries import periods
from scheduling.generate import generate
from solver import plan_first_come

ROUNDS = 20


def measure(hospital: Hospital, method: str, path: str, body: object = None) -> float:
    """Return how much of a processor a request takes, s."""
    began = process_time()
    answer = hospital.ask(method, path, body)
    assert answer.status_code == 200, answer.text
    return process_time() - began


def report(name: str, seconds: list[float]) -> None:
    """Print the median and the slowest but one in twenty."""
    ordered = sorted(seconds)
    slow = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(f"{name}: p50 {statistics.median(ordered) * 1000:.0f} ms, p95 {slow * 1000:.0f} ms ({len(ordered)} requests)")


def main() -> None:
    """Measure, and print."""
    week = generate("week", seed=7)
    folder = Path(tempfile.mkdtemp())
    url = f"sqlite:///{folder / 'store.db'}"
    database = Database(url)
    migrate(database)
    with database.writing() as session:
        periods.keep_scenario(session, week, NOW)
    StoredWeek(database, week).publish(plan_first_come(week))
    database.close()
    clock = Clock()
    clock.now = week.grid.utc(datetime.combine(week.horizon.start, time(7)))
    context = create_context(Settings(database_url=url, secret=SECRET), clock=clock)
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
                patient_reference=refer_to("Patient", patients[number * 7]),
            )
            found.append(measure(hospital, "POST", "Appointment/$find", wanted))
        report("$find", found)
        report("search, a page of 100", [measure(hospital, "GET", "Appointment?_count=100") for _ in range(ROUNDS)])
        report("read", [measure(hospital, "GET", f"Appointment/{week.visits[number].id}") for number in range(ROUNDS)])
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
