"""What is costly to derive from rows, kept under the version of what it comes from.

A version is one state of the rows for ever, in one epoch of the store: every change of a period goes through
:func:`api.store.queries.periods.touch`, and a restore begins another epoch. So what is kept never has to be called back; it
gives way to another version of itself, or to what is asked for more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session

from api.store.epoch import get_epoch

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

CACHE_KEY = "derived"
"""Where a reading session carries what is kept."""

CARRIED = "carried"
"""Where a writing session carries what is to be kept once it is committed."""


class VersionedCache:
    """The last things that were derived, each of one version. Nothing in it changes, and nothing in it is a row.

    Parameters
    ----------
    most
        Most things that are kept, 1 or more; that not asked for longest gives way. A month's scenario takes some 20 MiB.
    most_pieces
        The same of pieces, of which each is of one row; a piece takes about 1 KiB.
    """

    def __init__(self, most: int = 32, most_pieces: int = 20_000) -> None:
        self._most = most
        self._most_pieces = most_pieces
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Hashable, Future[Any]]] = OrderedDict()
        self._pieces: OrderedDict[Any, Any] = OrderedDict()

    def get(self, name: Hashable, version: Hashable, derive: Callable[[], T]) -> T:
        """Return what a name means in a version; who asks while another one derives it waits for that."""
        with self._lock:
            known = self._kept.get(name)
            missing = known is None or known[0] != version
            if known is None or missing:
                known = (version, Future())
            self._keep(name, known)
        if missing:
            self._derive(name, known, derive)
        result: T = known[1].result()
        return result

    def put(self, name: Hashable, version: Hashable, value: Any) -> None:
        """Keep what a name means in a version, for whoever has it already."""
        derived: Future[Any] = Future()
        derived.set_result(value)
        with self._lock:
            self._keep(name, (version, derived))

    def _keep(self, name: Hashable, known: tuple[Hashable, Future[Any]]) -> None:
        self._kept[name] = known
        self._kept.move_to_end(name)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get_each(self, wanted: Sequence[K], derive: Callable[[Sequence[K]], dict[K, T]]) -> list[T]:
        """Return pieces by the versions that they are of, in order; those that are not kept are derived together."""
        with self._lock:
            known: dict[K, T] = {key: self._pieces[key] for key in wanted if key in self._pieces}
            for key in known:
                self._pieces.move_to_end(key)
        missing = [key for key in wanted if key not in known]
        if missing:
            made = derive(missing)
            known.update(made)
            with self._lock:
                self._pieces.update(made)
                while len(self._pieces) > self._most_pieces:
                    self._pieces.popitem(last=False)
        return [known[key] for key in wanted]

    def _derive(self, name: Hashable, known: tuple[Hashable, Future[T]], derive: Callable[[], T]) -> None:
        try:
            known[1].set_result(derive())
        except BaseException as error:
            with self._lock:
                if self._kept.get(name) is known:
                    del self._kept[name]
            known[1].set_exception(error)


def get_cached(session: Session, name: Hashable, version: Hashable, derive: Callable[[], T]) -> T:
    """Return what a name means in a version, kept from before if it can be.

    Only a reading session finds and keeps anything: a writing one may have changed rows of the version that it has read.
    """
    kept = session.info.get(CACHE_KEY)
    return kept.get(name, (get_epoch(session), version), derive) if isinstance(kept, VersionedCache) else derive()


def carry(session: Session, name: Hashable, version: Hashable, value: object) -> None:
    """Have a writing session keep what a name means in a version that it makes, as soon as that is committed.

    Whoever reads that version next need not derive it; of a session that is undone nothing is kept.
    """
    session.info.setdefault(CARRIED, []).append((name, (get_epoch(session), version), value))


def get_each_cached(session: Session, wanted: Sequence[K], derive: Callable[[Sequence[K]], dict[K, T]]) -> list[T]:
    """Return pieces by the versions that they are of, kept from before where they can be; as :func:`get_cached` does."""
    kept = session.info.get(CACHE_KEY)
    if isinstance(kept, VersionedCache):
        present = get_epoch(session)

        def derive_each(missing: Sequence[tuple[str, K]]) -> dict[tuple[str, K], T]:
            made = derive([key for _, key in missing])
            return {(present, key): value for key, value in made.items()}

        return kept.get_each([(present, key) for key in wanted], derive_each)
    made = derive(wanted)
    return [made[key] for key in wanted]
