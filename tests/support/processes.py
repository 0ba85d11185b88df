"""The service as a process of its own: started on a free port, asked over loopback, ended or killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic

from support.service import SECRET

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from api.cli.entry import main; main()")

STOP_SECONDS = 30


@dataclass(frozen=True)
class Served:
    """A running service, the seconds from its start until it was ready, and the lines that it has logged since."""

    process: subprocess.Popen[str]
    address: str
    seconds: float
    log: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """End it as ``kill -9`` does, and wait until it is gone."""
        self.process.kill()
        self.process.wait()


def environment(url: str, **settings: object) -> dict[str, str]:
    """Return the environment of a service on a store, with further settings by their names."""
    given = {"database_url": url, "secret": SECRET, "requests_per_minute": 1_000_000, **settings}
    return os.environ | {f"CLINICWEAVE_{name.upper()}": str(value) for name, value in given.items()} | {"PYTHONPATH": str(ROOT)}


@contextmanager
def served(
    url: str, *options: str, command: Sequence[str] = (*COMMAND, "serve", "--port", "0"), **settings: object
) -> Iterator[Served]:
    """Start ``clinicweave serve`` with options and settings, and yield it once it listens; at the end it is told to stop."""
    begun = monotonic()
    whole = [*command, *options]
    running = subprocess.Popen(whole, cwd=ROOT, env=environment(url, **settings), stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    match = (re.search(r"running on (https?://[\d.:]+)", line) for line in running.stderr)
    address = next((one[1] for one in match if one), "")
    service = Served(running, address, monotonic() - begun)
    reader = Thread(target=service.log.extend, args=[running.stderr])  # else the process would stop at a full pipe
    reader.start()
    try:
        yield service
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        reader.join()
        running.stderr.close()
