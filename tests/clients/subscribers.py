"""Programs that keep a copy of a calendar on the web: evolution-data-server, and vdirsyncer with khal."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clients.installed import HERE, Installed
from clients.reading import Instants
from clients.waiting import PATIENCE_SECONDS

VDIRSYNCER = """
[general]
status_path = "{folder}/status"

[pair feed]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"

[storage here]
type = "filesystem"
path = "{folder}/events"
fileext = ".ics"

[storage there]
type = "http"
url = "{url}"
"""

KHAL = """
[calendars]
[[feed]]
path = {folder}/events
readonly = True

[locale]
local_timezone = Etc/UTC
default_timezone = Etc/UTC
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%dT%H:%M
longdatetimeformat = %Y-%m-%dT%H:%M

[sqlite]
path = {folder}/khal.db
"""


@dataclass(frozen=True)
class Vdirsyncer:
    """A calendar that vdirsyncer keeps as files, which khal reads; times are shown in UTC."""

    installed: Installed
    folder: Path

    def discover(self) -> None:
        """Look at both ends, as vdirsyncer asks for before the first time."""
        self._run("vdirsyncer", "--config", self.folder / "vdirsyncer.ini", "discover")

    def synchronise(self) -> None:
        """Fetch the calendar."""
        self._run("vdirsyncer", "--config", self.folder / "vdirsyncer.ini", "sync")

    def agenda(self, day: str) -> list[str]:
        """Return what khal shows of a day: start, end and title of each event."""
        shown = ("--format", "{start-long} {end-long} {title}", "--day-format", "", day, "1d")
        return self._run("khal", "--config", self.folder / "khal.ini", "list", *shown).splitlines()

    def _run(self, program: str, *arguments: str | Path) -> str:
        command = [self.installed.program(program), *arguments]
        environment = os.environ | {"HOME": str(self.folder)}
        options = {"check": True, "capture_output": True, "text": True, "timeout": PATIENCE_SECONDS}
        return subprocess.run(command, env=environment, **options).stdout


def vdirsyncer(installed: Installed, folder: Path, url: str) -> Vdirsyncer:
    """Subscribe to a calendar with vdirsyncer, in an empty folder."""
    (folder / "events").mkdir()
    for name, text in (("vdirsyncer.ini", VDIRSYNCER), ("khal.ini", KHAL)):
        (folder / name).write_text(text.format(folder=folder, url=url))
    subscribed = Vdirsyncer(installed, folder)
    subscribed.discover()
    return subscribed


@dataclass(frozen=True)
class Evolution:
    """A calendar in evolution-data-server; what it can be asked stands in drivers/drive_evolution.py."""

    driver: subprocess.Popen[str]

    def refresh(self) -> None:
        """Ask it to look whether the calendar has changed, which it then does by itself."""
        self._ask("refresh")

    def events(self) -> Instants:
        """Return what it shows."""
        return {uid: (start, end) for uid, start, end in self._ask("events")["events"]}

    def _ask(self, what: str) -> dict[str, list[tuple[str, float, float]]]:
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(what + "\n")
        self.driver.stdin.flush()
        answer: dict[str, list[tuple[str, float, float]]] = json.loads(self.driver.stdout.readline())
        return answer


@contextmanager
def evolution(folder: Path, url: str) -> Iterator[Evolution]:
    """Subscribe to a calendar with evolution-data-server, in a session and an empty folder of its own."""
    names = ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = os.environ | {name: str(folder) for name in names} | {"GSETTINGS_BACKEND": "memory"}
    driver = ["dbus-run-session", "--", "/usr/bin/python3", HERE / "drivers" / "drive_evolution.py", url]
    with (
        (folder / "output.log").open("wb") as log,
        subprocess.Popen(
            driver, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        yield Evolution(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE_SECONDS)
