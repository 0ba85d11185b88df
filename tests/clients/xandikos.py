"""Xandikos, a CalDAV server that takes invites from mail into a calendar."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from clients.installed import Installed
from clients.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Xandikos:
    """A patient's collections in a folder."""

    installed: Installed
    folder: Path

    def take_in(self, mail: bytes) -> None:
        """Hand it a mail, as a mail server's filter does."""
        command = [self.installed.program("xandikos"), "import-imip", "--directory", self.folder, "--autocreate"]
        subprocess.run(command, input=mail, check=True, capture_output=True, timeout=PATIENCE_SECONDS)

    def calendar(self) -> list[bytes]:
        """Return the events in the patient's calendar, which are files."""
        return [file.read_bytes() for file in (self.folder / "user" / "calendars").rglob("*.ics")]
