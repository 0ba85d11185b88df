"""Reading an address that somebody has typed in, so that no machine but one on the public internet can be reached by it.

A name is resolved once for each request, every address that it has must be public, and the connection goes to one of these very
addresses: a name that means something else a moment later changes nothing. TLS still vouches for the name. Redirections
are followed one by one in the same way. Length, time and compression are limited: whatever a server does, and however
slowly, each operation on its connection ends by one deadline.

References
----------
RFC 6890 (special-purpose addresses); RFC 4291, section 2.5.5.2 (IPv4-mapped) and RFC 6052 (64:ff9b::/96): IPv6 addresses that
stand for an IPv4 address; RFC 3056 (6to4) and RFC 4380 (Teredo): tunnels.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerInTime
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore2

Address = IPv4Address | IPv6Address

MAX_REDIRECTS = 5
MAX_URL_CHARACTERS = 2_000
REDIRECTS = (301, 302, 303, 307, 308)
READ_SECONDS = 5.0
"""Longest silence of a server."""

MAX_ETAG_CHARACTERS = 1_000
"""Longest entity tag that is kept."""

UNICAST = IPv6Network("2000::/3")
"""All that is handed out of IPv6 for public use."""

TRANSLATED = IPv6Network("64:ff9b::/96")
"""How a network that speaks IPv6 alone reaches IPv4."""

SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""What no server of the public internet has, whatever ``ipaddress`` says: protocols, tunnels, documentation."""


class Unfetchable(Exception):
    """An address that is not read, or cannot be; says why in words that name no address."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address held: None when it is still what ``etag`` stands for."""

    content: bytes | None
    etag: str | None


def is_public(address: Address) -> bool:
    """Say whether an address, or the IPv4 address that it stands for, is one of the public internet."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or address.is_reserved or any(address in network for network in SPECIAL)
        return address.is_global and not special
    if (inner := _embedded(address)) is not None:
        return is_public(inner)
    return address in UNICAST and address.is_global and not any(address in network for network in SPECIAL)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def resolve(host: str, port: int) -> list[Address]:
    """Return every address of a name. Raises ``OSError``."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(where[0]).partition("%")[0]) for *_, where in addresses]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Reads addresses within limits.

    Attributes
    ----------
    max_bytes, seconds
        The longest content, and the longest time from the first look-up to the last byte.
    allowed, resolve, context
        Which addresses may be reached, how names become addresses, and whose certificates are believed.
    """

    max_bytes: int
    seconds: float
    allowed: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], list[Address]] = resolve
    context: ssl.SSLContext | None = None

    def fetch(self, url: str, etag: str | None = None) -> Fetched:
        """Return what an https address holds, unless it is still what ``etag`` stands for. Raises ``Unfetchable``."""
        deadline = _Deadline(monotonic() + self.seconds)
        backend = _GuardedBackend(self, deadline)
        try:
            with httpcore2.ConnectionPool(ssl_context=self.context or _trusted(), network_backend=backend) as pool:
                for _ in range(MAX_REDIRECTS + 1):
                    answer = self._step(pool, expect_https(url), etag, deadline)
                    if isinstance(answer, Fetched):
                        return answer
                    url = urljoin(url, answer)  # a ValueError when it leads to no address
        except Unfetchable:
            raise
        except Exception as error:  # foreign headers, addresses and bytes: whatever they meet in here, it is their server's
            deadline.left()
            raise Unfetchable(f"the server cannot be read: {type(error).__name__}") from None
        raise Unfetchable("too many redirections")

    def _step(
        self, pool: httpcore2.ConnectionPool, target: SplitResult, etag: str | None, deadline: _Deadline
    ) -> Fetched | str:
        """Ask one server; return what it gives, or where it sends us."""
        host, port = target.hostname or "", target.port or 443
        path = target._replace(scheme="", netloc="", fragment="").geturl() or "/"
        headers: dict[bytes | str, bytes | str] = {
            "Host": target.netloc if port != 443 else target.netloc.removesuffix(":443"),
            "Accept": "text/calendar, */*;q=0.1",
            "Accept-Encoding": "identity",
            "User-Agent": "Clinicweave",
            **({"If-None-Match": etag} if etag is not None and etag.isascii() else {}),
        }
        address = httpcore2.URL(scheme="https", host=host, port=port, target=path)
        with pool.stream("GET", address, headers=headers) as answer:
            given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            if answer.status in REDIRECTS and "location" in given:
                return given["location"]
            if answer.status == 304 and etag is not None:
                return Fetched(None, etag)
            if answer.status != 200:
                raise Unfetchable(f"the server answered {answer.status}")
            if given.get("content-encoding", "identity") != "identity":
                raise Unfetchable("the server has compressed what it sends")
            return Fetched(self._content(answer, deadline), _keepable(given.get("etag")))

    def find_address(self, host: str, port: int, deadline: _Deadline) -> Address:
        """Return the address to connect to, once all that the name has are known to be public. Raises ``Unfetchable``."""
        with _resolver() as pool:
            asked = pool.submit(self.resolve, host, port)
            try:
                addresses = asked.result(deadline.left())
            except NoAnswerInTime:
                raise Unfetchable("it takes too long") from None
        if not addresses or not all(map(self.allowed, addresses)):
            raise Unfetchable("the name is not one of the public internet")
        return addresses[0]

    def _content(self, answer: httpcore2.Response, deadline: _Deadline) -> bytes:
        content = bytearray()
        for chunk in answer.iter_stream():
            content += chunk
            if len(content) > self.max_bytes:
                raise Unfetchable(f"it is longer than {self.max_bytes} bytes")
            deadline.left()
        return bytes(content)


@dataclass(frozen=True, slots=True)
class _Deadline:
    """When a whole reading has to be over, on the monotonic clock."""

    until: float

    def left(self, most: float = float("inf")) -> float:
        """Return the seconds that are left, at most some. Raises ``Unfetchable`` when there are none."""
        left = self.until - monotonic()
        if left <= 0:
            raise Unfetchable("it takes too long")
        return min(left, most)


class _GuardedBackend(httpcore2.NetworkBackend):
    """Connects to names of the public internet alone, at the very addresses that were looked up, and by a deadline."""

    def __init__(self, fetcher: Fetcher, deadline: _Deadline) -> None:
        self._fetcher = fetcher
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Return a connection to a name's address."""
        address = str(self._fetcher.find_address(host, port, self._deadline))
        stream = httpcore2.SyncBackend().connect_tcp(address, port, self._deadline.left(READ_SECONDS))
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore2.NetworkStream):
    """A connection of which each operation ends by the deadline, so that bytes in drops win no time."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes next."""
        return self._stream.read(max_bytes, self._deadline.left(READ_SECONDS))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, self._deadline.left(READ_SECONDS))

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Return the connection under TLS."""
        left = self._deadline.left(READ_SECONDS)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._stream.get_extra_info(info)


def _keepable(etag: str | None) -> str | None:
    """Return an entity tag that a later request can carry and a store can keep, else None."""
    return etag if etag is not None and etag.isascii() and len(etag) <= MAX_ETAG_CHARACTERS else None


def expect_https(url: str) -> SplitResult:
    """Return the parts of an address that may be read: https, or webcal, which is read by https. Raises ``Unfetchable``."""
    if len(url) > MAX_URL_CHARACTERS or not (url.isascii() and url.isprintable()) or " " in url:
        raise Unfetchable("it is no address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unfetchable("it is no address") from None
    if parts.scheme not in ("https", "webcal", "webcals") or not parts.hostname or port == 0:
        raise Unfetchable("it is no https address")
    if parts.username is not None or parts.password is not None:
        raise Unfetchable("it has a user name in it")
    return parts._replace(scheme="https")


class _Resolver(ThreadPoolExecutor):
    """A thread for one look-up; it is not waited for when the look-up takes too long."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=False)


def _resolver() -> _Resolver:
    return _Resolver(max_workers=1, thread_name_prefix="look-up")


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
