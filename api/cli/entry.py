"""Where the command ``clinicweave`` begins: so little that Ctrl-C finds it ready from the first moment."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130
"""The exit code of a command that was interrupted, :class:`api.cli.console.ExitCode`, which is not loaded yet."""


def main() -> None:
    """Load the commands, and run one. While they load, Ctrl-C ends the process: nothing has begun that could be left undone."""
    signal.signal(signal.SIGINT, _end)
    from api.cli.main import app

    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name="clinicweave")


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)
