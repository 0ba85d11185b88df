"""Waiting for what other programs do, for a bounded time, and running them."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


def until(what: str, look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something, and return it; ``what`` is said when there never is."""
    end = monotonic() + seconds
    while not (found := look()):
        assert monotonic() < end, f"there never was {what}"
        sleep(0.02)
    return found


def listens(port: int) -> bool:
    """Say whether somebody listens on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def running(command: list[str | Path], log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that serves until the end of the block; what it prints goes into a file."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
