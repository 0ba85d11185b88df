"""Reading an address that somebody has typed in, so that no machine but one on the public internet can be reached by it.

A name is resolved once for each request, every address that it has must be public, and the connection goes to one of these very
addresses: a name that means something else a moment later changes nothing. TLS still vouches for the name. Redirections
are followed one by one in the same way. Length, time and compression are limited.

References
----------
RFC 6890 (special-purpose addresses); RFC 4291, section 2.5.5.2 (IPv4-mapped) and RFC 6052 (64:ff9b::/96): IPv6 addresses that
stand for an IPv4 address; RFC 3056 (6to4) and RFC 4380 (Teredo): tunnels.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerInTime
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

Address = IPv4Address | IPv6Address

MAX_REDIRECTS = 5
MAX_URL_CHARACTERS = 2_000
REDIRECTS = (301, 302, 303, 307, 308)
READ_SECONDS = 5.0
"""Longest silence of a server."""

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
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


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
        until = monotonic() + self.seconds
        try:
            with httpx2.Client(verify=self.context or _trusted(), trust_env=False, timeout=READ_SECONDS) as client:
                for _ in range(MAX_REDIRECTS + 1):
                    found = self._step(client, expect_https(url), etag, until)
                    if isinstance(found, Fetched):
                        return found
                    url = urljoin(url, found)  # a ValueError when it leads to no address
        except Unfetchable:
            raise
        except Exception as error:  # foreign headers, addresses and bytes: whatever they meet in here, it is their server's
            raise Unfetchable(f"the server cannot be read: {type(error).__name__}") from None
        raise Unfetchable("too many redirections")

    def _step(self, client: httpx2.Client, target: SplitResult, etag: str | None, until: float) -> Fetched | str:
        """Ask one server; return what it gives, or where it sends us."""
        host, port = target.hostname or "", target.port or 443
        pinned = self._pinned(host, port, until)
        netloc = f"[{pinned}]" if isinstance(pinned, IPv6Address) else str(pinned)
        request = client.build_request(
            "GET",
            target._replace(netloc=f"{netloc}:{port}", fragment="").geturl(),
            headers={
                "Host": host if port == 443 else f"{host}:{port}",
                "Accept": "text/calendar, */*;q=0.1",
                "Accept-Encoding": "identity",
                "User-Agent": "Clinicweave",
                **({"If-None-Match": etag} if etag is not None and etag.isascii() else {}),
            },
            extensions={"sni_hostname": host, "timeout": _timeouts(until)},
        )
        answer = client.send(request, stream=True, follow_redirects=False)
        try:
            if answer.status_code in REDIRECTS and "location" in answer.headers:
                return answer.headers["location"]
            if answer.status_code == 304 and etag is not None:
                return Fetched(None, etag)
            if answer.status_code != 200:
                raise Unfetchable(f"the server answered {answer.status_code}")
            return Fetched(self._content(answer, until), answer.headers.get("etag"))
        finally:
            answer.close()

    def _pinned(self, host: str, port: int, until: float) -> Address:
        """Return the address to connect to, once all that the name has are known to be public."""
        with _resolver() as pool:
            asked = pool.submit(self.resolve, host, port)
            try:
                addresses = asked.result(max(0.0, until - monotonic()))
            except NoAnswerInTime:
                raise Unfetchable("it takes too long") from None
        if not addresses or not all(map(self.allowed, addresses)):
            raise Unfetchable("the name is not one of the public internet")
        return addresses[0]

    def _content(self, answer: httpx2.Response, until: float) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise Unfetchable("the server has compressed what it sends")
        content = bytearray()
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > self.max_bytes:
                raise Unfetchable(f"it is longer than {self.max_bytes} bytes")
            if monotonic() > until:
                raise Unfetchable("it takes too long")
        return bytes(content)


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


def _timeouts(until: float) -> dict[str, float]:
    left = max(0.1, min(READ_SECONDS, until - monotonic()))
    return dict.fromkeys(("connect", "read", "write", "pool"), left)


class _Resolver(ThreadPoolExecutor):
    """A thread for one look-up; it is not waited for when the look-up takes too long."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=False)


def _resolver() -> _Resolver:
    return _Resolver(max_workers=1, thread_name_prefix="look-up")


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
