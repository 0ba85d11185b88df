"""A Thunderbird without a screen, driven by Marionette, with a profile of its own and no way off this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.installed import HERE, Installed
from clients.waiting import PATIENCE_SECONDS, running, until

DISCARD_PORT = 9

PREFERENCES: dict[str, bool | int | str] = {
    "marionette.port": 0,
    # Nobody listens on the proxy's port; addresses of this machine are not asked for by a proxy.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": DISCARD_PORT,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": DISCARD_PORT,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mailnews.start_page.enabled": False,
    "toolkit.telemetry.enabled": False,
    "calendar.timezone.useSystemTimezone": False,
    "calendar.timezone.local": "Europe/Dublin",
}

ACCEPT, DECLINE, TENTATIVE, DELETE = (f"imip{name}Button" for name in ("Accept", "Decline", "Tentative", "Delete"))


@dataclass(frozen=True)
class Thunderbird:
    """A running Thunderbird; what it can be asked stands in drivers/thunderbird.js."""

    driver: subprocess.Popen[str]

    def become_patient(self, address: str, smtp_port: int) -> str:
        """Use the mail account of a patient, and return the id of their own calendar, which is empty."""
        return str(self._call("becomePatient", address, smtp_port))

    def receive(self, message: bytes) -> set[str]:
        """Receive and open a message, and return the buttons that are offered above it."""
        return set(self._call("receive", message.decode("ascii")))

    def press(self, button: str) -> None:
        """Press a button above the open message, and wait until it has done its work."""
        self._call("press", button)

    def subscribe(self, url: str) -> str:
        """Subscribe to a calendar, and return its id here."""
        return str(self._call("subscribe", url))

    def refresh(self, calendar: str) -> None:
        """Look whether a calendar has changed, and wait for the answer."""
        self._call("refresh", calendar)

    def events(self, calendar: str) -> list[dict[str, Any]]:
        """Return the events that a calendar shows, by time."""
        return sorted(self._call("events", calendar), key=lambda event: float(event["start"]))

    def _call(self, name: str, *arguments: object) -> Any:
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps({"call": name, "args": arguments}) + "\n")
        self.driver.stdin.flush()
        answer = json.loads(self.driver.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]


@contextmanager
def running_thunderbird(installed: Installed, profile: Path) -> Iterator[Thunderbird]:
    """Run Thunderbird with a new profile in an empty folder."""
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    flags = ("--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile")
    command: list[str | Path] = ["thunderbird", *flags, profile]
    port = profile / "MarionetteActivePort"
    with running(command, profile / "output.log", env=os.environ | {"HOME": str(profile)}):
        until("a port of Marionette", lambda: port.exists() and port.read_text())
        driver: list[str | Path] = [installed.program("python"), HERE / "drivers" / "drive_thunderbird.py", port.read_text()]
        with subprocess.Popen(driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Thunderbird(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)
