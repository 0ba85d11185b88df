"""How often one caller may ask: a bucket for each, that fills again with time."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from threading import Lock
from time import monotonic

from api.runtime.exceptions import TooMany

MAX_CALLERS = 50_000
"""Buckets that a limit keeps; the one not asked for longest gives way."""

SECONDS_A_MINUTE = 60

NETWORK_BITS = 64
"""How much of an IPv6 address is one network: whoever has one address has all that begin so."""

MAX_STREAMS = 8
"""Streams that one account, or one patient's link, may have open in one process: a desk needs one or two for each window."""

MAX_STREAMS_IN_ALL = 300
"""Streams that all callers together may have open in one process: other requests need connections too."""

STREAM_RETRY_SECONDS = 5


class RateLimiter:
    """At most so many requests a minute for each caller, within this process; as many at once when rested.

    Parameters
    ----------
    per_minute
        Requests a minute, at least 1.
    clock
        Returns seconds that never run backwards.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count a request.

        Raises
        ------
        TooMany
            When the caller's bucket is empty; the request does not count then.
        """
        self._take(caller, 1)

    def expect(self, caller: str) -> None:
        """Refuse whom :meth:`take` would refuse, and count nothing: for what counts only when it fails. Raises ``TooMany``."""
        self._take(caller, 0)

    def _take(self, caller: str, count: int) -> None:
        with self._lock:
            now = self._clock()
            left, since = self._buckets.pop(caller, (float(self.per_minute), now))
            left = min(self.per_minute, left + (now - since) * self.per_minute / SECONDS_A_MINUTE)
            self._buckets[caller] = (left - count if left >= 1 else left, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany("too many requests", ceil((1 - left) * SECONDS_A_MINUTE / self.per_minute))


class OpenStreams:
    """How many answers that go on each caller has open, within this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    def begin(self, caller: str) -> None:
        """Count one more.

        Raises
        ------
        TooMany
            When there are too many already.
        """
        with self._lock:
            if self._open[caller] >= MAX_STREAMS:
                raise TooMany(f"one may have {MAX_STREAMS} streams open at once", STREAM_RETRY_SECONDS)
            if self._open.total() >= MAX_STREAMS_IN_ALL:
                raise TooMany("too many streams are open", STREAM_RETRY_SECONDS)
            self._open[caller] += 1

    def end(self, caller: str) -> None:
        """Count one less."""
        with self._lock:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


def get_network(address: str) -> str:
    """Return what one caller has of addresses: an IPv4 address, though it may be written as one of IPv6, or a network."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return str(ip_network((parsed, NETWORK_BITS), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
