"""Reads that are written down, by many at once: each by a commit of its own, and those of one moment by one.

``bench_audited_reads.py [URL] [--readers 64] [--seconds 5]``: a store of its own unless a URL is given. It prints
reads a second and how long the slowest hundredth took, for both ways in turn.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from support.service import Clock

from api.store import audit
from api.store.audit import AuditEntry
from api.store.database import Database
from api.store.grouped_audit import GroupedAudit
from api.store.migrations import migrate

ENTRY = AuditEntry("reader", "scheduler", "visit.read", "visit", "v", "allowed", {})


def measure(write: Callable[[], None], readers: int, seconds: float) -> str:
    """Let so many write one after the other, for so long, and tell how it went."""
    taken: list[float] = []
    end = perf_counter() + seconds

    def read() -> None:
        while (begun := perf_counter()) < end:
            write()
            taken.append(perf_counter() - begun)

    threads = [threading.Thread(target=read) for _ in range(readers)]
    processor = process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    each = (process_time() - processor) / len(taken) * 1000
    slow = sorted(taken)[int(len(taken) * 0.99)]
    return f"{len(taken) / seconds:8.0f} a second, 99 % within {slow * 1000:6.0f} ms, {each:5.2f} ms of a processor each"


def main() -> None:
    """Measure both ways."""
    parser = ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--readers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Database(asked.url or f"sqlite:///{folder}/store.db")
        migrate(store)
        clock, grouped = Clock(), GroupedAudit(store)

        def alone() -> None:
            with store.writing() as session:
                audit.append(session, ENTRY, clock.now)

        print("each alone", measure(alone, asked.readers, asked.seconds))
        print("together  ", measure(lambda: grouped.write(ENTRY, clock.now), asked.readers, asked.seconds))
        store.close()


if __name__ == "__main__":
    main()
