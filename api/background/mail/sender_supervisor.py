"""The courier's process as its owner holds it: started, started again when it dies, and told to end."""

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

SENDER = ("-m", "api.background.mail.process")
"""What the interpreter runs to send."""

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 5.0
"""How soon a courier that died is followed by another."""

STOP_SECONDS = 90.0
"""Longest wait for the message that a courier has in its hands."""

log = logging.getLogger(__name__)


class SenderSupervisor:
    """A courier beside a worker or the service, at work within its ``with`` block."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._watching = Thread(target=self._watch, name="courier-watch", daemon=True)

    def __enter__(self) -> Self:
        self._process = _started()
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
                log.warning("the courier ended with code %d", code)
                _end(self._process)
                if self._stopping.wait(AGAIN_SECONDS):
                    return
                self._process = _started()


def send_once() -> dict[str, Any]:
    """Send what is due, and return how many messages were sent, wait, or were refused.

    Raises
    ------
    Unavailable
        When the mail server does not answer; the messages wait.
    """
    process = _started(ONCE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = process.stdout.read()
    _end(process)
    if process.returncode == UNREACHABLE:
        raise Unavailable("the mail server does not answer; the messages wait")
    if process.returncode != 0:
        raise Unavailable("the courier has met a defect; its log says where")
    found: dict[str, Any] = json.loads(told)
    return found


def _started(*options: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *SENDER, *options],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
        **streams,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a courier finish the message in its hands."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
