"""Small pools of threads for what is slow, beside those that read: whoever logs in keeps nobody waiting who is in already.

Their threads have the priority of all others. One of a lower priority would keep the interpreter's lock for as long as the
system does not let it run, and everybody would wait for that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar

from api.runtime.exceptions import Unavailable
from api.runtime.turns import Turns

T = TypeVar("T")


class _Asked(NamedTuple):
    """What is to run, and what becomes of it."""

    act: Callable[[], Any]
    outcome: Future[Any]


class BoundedPool:
    """A few threads, and a queue before them in which networks take turns; one more is refused at once.

    Parameters
    ----------
    name
        What the refusal calls it.
    threads
        What runs at once.
    places
        What waits at most.
    """

    def __init__(self, name: str, threads: int, places: int) -> None:
        self._name = name
        self._most = threads + places
        self._running = 0
        self._line: Turns[_Asked] = Turns()
        self._lock = threading.Lock()
        self._count = threads
        self._threads: ThreadPoolExecutor | None = None

    async def run(self, act: Callable[[], T], network: str = "") -> T:
        """Run something in the pool, in the turn of a network; whoever waits for it holds no thread.

        Raises
        ------
        Unavailable
            When the queue is full, and no other network has more in it.
        """
        asked = _Asked(act, Future[Any]())
        with self._lock:
            gone = self._line.add(network, asked, self._most - self._running)
            if gone is None:
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)
                self._threads.submit(self._run_next)
        if gone is not None and gone.outcome.set_running_or_notify_cancel():
            gone.outcome.set_exception(Unavailable(f"too many wait for {self._name}; try again soon"))
        try:
            outcome: T = await asyncio.wrap_future(asked.outcome)
        except asyncio.CancelledError:
            with self._lock:
                self._line.take_all(lambda waiting: waiting is asked)
            raise
        return outcome

    def close(self) -> None:
        """Let what runs end, and nothing more of what waits; what comes later finds new threads."""
        with self._lock:
            threads, self._threads = self._threads, None
            waiting = self._line.take_all(lambda _: True)
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)
        for asked in waiting:
            asked.outcome.cancel()

    def _run_next(self) -> None:
        with self._lock:
            if not len(self._line):  # who was to be next has left
                return
            asked = self._line.take()
            self._running += 1
        tell: Callable[[], None] = _say_nothing
        if asked.outcome.set_running_or_notify_cancel():
            try:
                tell = partial(asked.outcome.set_result, asked.act())
            except BaseException as error:
                tell = partial(asked.outcome.set_exception, error)
        with self._lock:
            self._running -= 1
        tell()


def _say_nothing() -> None:
    """Tell nobody, who has left."""
