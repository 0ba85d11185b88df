"""Python's collection of garbage, paused while many objects are made that stay."""

from __future__ import annotations

import gc
from threading import Lock


class GarbageCollectionPause:
    """A context in which nothing is collected, in any thread, until the last that entered it has left.

    Options, columns and rows are many, and make no cycles. A collection looks at all of them again and again, which takes a
    quarter of the time to the first plan of a month.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entered = 0
        self._was_enabled = True

    def __enter__(self) -> None:
        with self._lock:
            if self._entered == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._entered += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._entered -= 1
            if self._entered == 0 and self._was_enabled:
                gc.enable()


GC_PAUSE = GarbageCollectionPause()
"""The one of this process."""
