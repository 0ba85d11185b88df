"""What is costly to derive from rows, kept under the version of what it comes from.

A version is one state of the rows for ever: every change of a period goes through :func:`api.store.periods.touch`. So what is
kept never has to be called back; it gives way to another version of itself, or to what is asked for more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session

T = TypeVar("T")

KEPT = "derived"
"""Where a reading session carries what is kept."""


class Derived:
    """The last things that were derived, each of one version. Nothing in it changes, and nothing in it is a row.

    Parameters
    ----------
    most
        Most things that are kept, 1 or more; that not asked for longest gives way. A month's scenario takes some 20 MiB.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Hashable, Future[Any]]] = OrderedDict()

    def get(self, name: Hashable, version: Hashable, derive: Callable[[], T]) -> T:
        """Return what a name means in a version; who asks while another one derives it waits for that."""
        with self._lock:
            known = self._kept.get(name)
            missing = known is None or known[0] != version
            if known is None or missing:
                known = self._kept[name] = (version, Future())
            self._kept.move_to_end(name)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if missing:
            self._derive(name, known, derive)
        result: T = known[1].result()
        return result

    def _derive(self, name: Hashable, known: tuple[Hashable, Future[T]], derive: Callable[[], T]) -> None:
        try:
            known[1].set_result(derive())
        except BaseException as error:
            with self._lock:
                if self._kept.get(name) is known:
                    del self._kept[name]
            known[1].set_exception(error)


def derived(session: Session, name: Hashable, version: Hashable, derive: Callable[[], T]) -> T:
    """Return what a name means in a version, kept from before if it can be.

    Only a reading session finds and keeps anything: a writing one may have changed rows of the version that it has read.
    """
    kept = session.info.get(KEPT)
    return kept.get(name, version, derive) if isinstance(kept, Derived) else derive()
