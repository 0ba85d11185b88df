"""How long next week's scenario takes to build after a year: 52 weeks, 25,000 visits that have been, on SQLite.

``python tests/benchmarks/bench_weeks.py [--postgresql URL]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from sqlalchemy import event
from support.history import NOW, live_through

from api.services.accounts.accounts import SYSTEM
from api.services.care import rolling
from api.store.database import Database
from api.store.migrations import migrate

WEEKS, VISITS, GOING_ON, ROUNDS = 52, 25_010, 800, 7


def main() -> None:
    """Print a table of medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--postgresql", metavar="URL", help="An empty database; SQLite when left out.")
    with tempfile.TemporaryDirectory() as folder:
        store = Database(arguments.parse_args().postgresql or f"sqlite:///{folder}/store.db")
        migrate(store)
        began = perf_counter()
        visits = live_through(store, WEEKS, VISITS, GOING_ON)
        print(f"{visits:,} visits over {WEEKS} weeks, written in {perf_counter() - began:.0f} s")
        queries: list[str] = []
        event.listen(store.engine, "before_cursor_execute", lambda *told: queries.append(told[2]))
        looked, kept = [], []
        for _ in range(ROUNDS):
            queries.clear()
            began = perf_counter()
            with store.reading() as session:
                horizon = rolling.get_next_horizon(session, NOW, 1, None)
                found = rolling.draft_week(session, horizon, NOW)
            looked.append(perf_counter() - began)
            asked = len(queries)
        for _ in range(ROUNDS):
            began = perf_counter()
            with store.writing() as session:
                rolling.build_week(session, SYSTEM, horizon, NOW)
            kept.append(perf_counter() - began)
        scenario = found.scenario
        print(f"next week: {len(scenario.visits):,} visits, {len(scenario.groups)} groups, {len(found.alerts)} alerts")
        print(f"built: {median(looked):.2f} s (median of {ROUNDS}), in {asked} queries")
        print(f"built and kept: {kept[0]:.2f} s at first, then {median(kept):.2f} s")
        store.close()


if __name__ == "__main__":
    main()
