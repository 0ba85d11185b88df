"""Readers of calendar files, each a program of its own that prints the instants it has read and what it finds wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.installed import HERE, Installed

Instants = Mapping[str, tuple[float, float]]
"""Start and end by UID, in seconds since 1970."""

LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class Reading:
    """What a reader makes of a calendar."""

    instants: Instants
    faults: Sequence[str]


def _node(program: str) -> Callable[[Installed], Sequence[str | Path]]:
    return lambda installed: ("node", HERE / "readers" / program)


def _python(program: str) -> Callable[[Installed], Sequence[str | Path]]:
    return lambda installed: (installed.program("python"), HERE / "readers" / program)


READERS: Mapping[str, Callable[[Installed], Sequence[str | Path]]] = {
    "ical.js": _node("icaljs.mjs"),
    "node-ical": _node("nodeical.mjs"),
    "ical": _python("with_ical.py"),
    "icalendar": _python("with_icalendar.py"),
    "libical": lambda installed: (installed.libical,),
}


def read(installed: Installed, reader: str, files: Sequence[Path]) -> list[Reading]:
    """Read calendar files with one reader, in a process that must end well."""
    # Node finds packages from its working directory.
    ran = subprocess.run(
        [*READERS[reader](installed), *files],
        cwd=installed.node_packages,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(found) == len(files), ran.stdout
    return [Reading({uid: (start, end) for uid, start, end in one["events"]}, one["faults"]) for one in found]
