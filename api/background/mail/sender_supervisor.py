"""The process that sends mail as its owner holds it: started, started again when it dies, and told to end."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from api.background.mail.process import ONCE, UNREACHABLE
from api.runtime.exceptions import Unavailable

COMMAND = ("-P", "-m", "api.background.mail.process")
"""What the interpreter runs to send; by ``-P`` nothing in the working folder stands before a package of its name."""

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 5.0
"""How soon a sender that died is followed by another."""

STOP_SECONDS = 90.0
"""Longest wait for the message that a sender has in its hands."""

log = logging.getLogger(__name__)


class SenderSupervisor:
    """Keeps a sender at work beside a worker or the service, within its ``with`` block."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._watching = Thread(target=self._watch, name="sender-supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._process = _start()
        self._watching.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._watching.join()
        _end(self._process)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            if (code := self._process.poll()) is not None:
                log.warning("the mail sender ended with code %d; another one starts", code)
                _end(self._process)
                if self._stopping.wait(AGAIN_SECONDS):
                    return
                self._process = _start()


def send_once() -> dict[str, Any]:
    """Send what is due, and return how many messages were sent, wait, or were refused.

    Raises
    ------
    Unavailable
        When the mail server does not answer; the messages wait.
    """
    process = _start(ONCE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    report = process.stdout.read()
    _end(process)
    if process.returncode == UNREACHABLE:
        raise Unavailable("the mail server does not answer; the messages wait")
    if process.returncode != 0:
        raise Unavailable("the mail sender has met a defect; its log says where")
    counts: dict[str, Any] = json.loads(report)
    return counts


def _start(*options: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *COMMAND, *options],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
        **streams,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a sender finish the message in its hands."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
