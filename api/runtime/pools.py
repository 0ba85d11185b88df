"""Small pools of threads for what is slow, beside those that read: whoever logs in keeps nobody waiting who is in already.

Their threads have the priority of all others. One of a lower priority would keep the interpreter's lock for as long as the
system does not let it run, and everybody would wait for that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.runtime.exceptions import Unavailable

T = TypeVar("T")


class BoundedPool:
    """A few threads, and a queue before them; one more is refused at once.

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
        self._inside = 0
        self._lock = threading.Lock()
        self._count = threads
        self._threads: ThreadPoolExecutor | None = None

    async def run(self, act: Callable[[], T]) -> T:
        """Run something in the pool; whoever waits for it holds no thread.

        Raises
        ------
        Unavailable
            When the queue is full.
        """
        with self._lock:
            if self._inside >= self._most:
                raise Unavailable(f"too many wait for {self._name}; try again soon")
            self._inside += 1
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)
            running = self._threads.submit(act)
        running.add_done_callback(self._left)
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """Let what runs end, and nothing more of what waits; what comes later finds new threads."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    def _left(self, _: object) -> None:
        with self._lock:
            self._inside -= 1
