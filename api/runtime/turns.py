"""Who waits, by the network that they come from: each network has its turn, however many of one come."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A bounded line in which networks take turns, and in each network who came first goes first.

    When it is full, the network that has most in it gives up the place of its last to another.
    """

    def __init__(self) -> None:
        self._networks: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, network: str, waiting: T, places: int) -> T | None:
        """Let somebody wait in one of so many places, and return who has none now: the same, or another, or None."""
        self._networks.setdefault(network, deque()).append(waiting)
        self._count += 1
        if self._count <= places:
            return None
        largest = max(self._networks, key=lambda name: (len(self._networks[name]), name == network))
        gone = self._networks[largest].pop()
        if not self._networks[largest]:
            del self._networks[largest]
        self._count -= 1
        return gone

    def take(self) -> T:
        """Take out whose turn it is. Raises ``KeyError`` when nobody waits."""
        network, line = self._networks.popitem(last=False)
        first = line.popleft()
        if line:
            self._networks[network] = line
        self._count -= 1
        return first

    def take_all(self, is_wanted: Callable[[T], bool]) -> list[T]:
        """Take out all that are wanted."""
        wanted = [waiting for line in self._networks.values() for waiting in line if is_wanted(waiting)]
        for network, line in list(self._networks.items()):
            left = deque(waiting for waiting in line if not is_wanted(waiting))
            if left:
                self._networks[network] = left
            else:
                del self._networks[network]
        self._count -= len(wanted)
        return wanted
