"""What an outsider without an account does to a service, and how a scheduler's reads fare meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from multiprocessing.synchronize import Event
from pathlib import Path
from time import monotonic

Attack = Callable[[int, float], None]
"""Attacks the service at a port of loopback, until an instant of the monotonic clock."""

ASK = "{} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n"
HALF_BODY = ASK.format("POST /v1/sessions", "Content-Type: application/json\r\nContent-Length: 200\r\n").encode() + b'{"name":'
MIB = 1024**2
PATIENCE_SECONDS = 20.0
GIVE_WAY = 10
"""By how much an attacker gives way to the service: they have machines of their own, and are not what is measured."""


@dataclass(frozen=True)
class Fared:
    """How a scheduler's reads fared: how long the slowest hundredth took, how many failed, and how much memory grew."""

    reads: int
    p99_seconds: float
    failed: int
    grown_mib: float


@contextmanager
def silent_server() -> Iterator[str]:
    """Open a port that takes connections and never answers; yield its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def attack_and_read(pid: int, address: str, headers: dict[str, str], path: str, attack: Attack, seconds: float) -> Fared:
    """Attack a service from a process of its own, and read meanwhile, each time by a new connection."""
    port = int(address.rsplit(":", 1)[1])
    assert _read(address, path, headers) == 200
    before, processes = read_memory(pid, "VmRSS"), multiprocessing.get_context("spawn")
    begun_attack = processes.Event()
    attacking = processes.Process(target=_attack, args=(attack, port, seconds, begun_attack))
    attacking.start()
    assert begun_attack.wait(PATIENCE_SECONDS)
    until = monotonic() + seconds
    taken, failed = [], 0
    try:
        while monotonic() < until:
            begun = monotonic()
            failed += _read(address, path, headers) != 200
            taken.append(monotonic() - begun)
    finally:
        attacking.kill()
        attacking.join()
    return Fared(len(taken), sorted(taken)[int(len(taken) * 0.99)], failed, read_memory(pid, "VmHWM") - before)


def _attack(attack: Attack, port: int, seconds: float, begun: Event) -> None:
    os.nice(GIVE_WAY)
    begun.set()
    attack(port, monotonic() + seconds)


def _read(address: str, path: str, headers: dict[str, str]) -> int:
    """Return the status of a read, 0 when there is no answer."""
    place, trusting = address.rsplit("/", 1)[1], ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    by_tls = address.startswith("https:")
    connection = (
        HTTPSConnection(place, timeout=PATIENCE_SECONDS, context=trusting)
        if by_tls
        else HTTPConnection(place, timeout=PATIENCE_SECONDS)
    )
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def read_memory(pid: int, name: str) -> float:
    """Return what a process has of memory, in MiB: ``VmRSS`` now, ``VmHWM`` at most so far."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def wait(port: int, until: float) -> None:
    """Do nothing: how reads fare anyway."""


def log_in_elsewhere(port: int, until: float) -> None:
    """Begin 100 log-ins by an identity provider at a time."""
    _repeat(port, until, 100, [ASK.format("GET /v1/oidc/log-in", "Connection: close\r\n").encode()])


def guess_passwords(port: int, until: float) -> None:
    """Log in 180 times at once from three addresses."""
    body = b'{"name": "scheduler", "password": "a wrong pass phrase"}'
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    sources = tuple(f"127.0.0.{number}" for number in (2, 3, 4))
    _repeat(port, until, 180, [ASK.format("POST /v1/sessions", head).encode() + body], sources)


def send_nested(port: int, until: float) -> None:
    """Send 16 MiB of nested JSON to a route that asks for no account, four at a time."""
    body = b"[" * (16 * MIB)
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
    whole = [ASK.format("POST /v1/sessions", head).encode(), body]
    parts = [ASK.format("POST /v1/sessions", chunked).encode(), b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda sent: _repeat(port, until, 2, sent), (whole, parts)))


def send_heads(port: int, until: float) -> None:
    """Send a header of 80 MiB, and 20,000 headers."""
    while monotonic() < until:
        _send(port, [b"GET / HTTP/1.1\r\nHost: c\r\nX-Long: ", *[b"v" * MIB] * 80])
        _send(port, [b"GET / HTTP/1.1\r\nHost: c\r\n", b"".join(b"X-%d: v\r\n" % number for number in range(20_000)), b"\r\n"])


def send_halves(port: int, until: float) -> None:
    """Begin 1,100 bodies, and keep their connections."""
    _hold(port, until, 1_100, HALF_BODY)


def say_nothing(port: int, until: float) -> None:
    """Keep 1,100 connections, and say nothing on them."""
    _hold(port, until, 1_100, b"")


def keep_idle(port: int, until: float) -> None:
    """Ask once on each of 1,100 connections, and keep them."""
    _hold(port, until, 1_100, ASK.format("GET /healthz", "").encode())


def read_nothing(port: int, until: float) -> None:
    """Ask for the largest public answer again and again on 300 connections, and take none of it."""
    _hold(port, until, 300, ASK.format("GET /openapi.json", "").encode() * 40)


def pipeline(port: int, until: float) -> None:
    """Send thousands of requests at once on each of 40 connections."""
    _repeat(port, until, 40, [ASK.format("GET /v1/patients", "").encode() * 10_000])


def _hold(port: int, until: float, count: int, content: bytes) -> None:
    """Open connections, each with some content, and keep so many of them; the oldest gives way to another."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held: deque[socket.socket] = deque()
    while monotonic() < until:
        if len(held) == count:
            held.popleft().close()
        with suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            held[-1].sendall(content)


def _repeat(port: int, until: float, at_once: int, parts: Sequence[bytes], sources: Sequence[str] = ("127.0.0.1",)) -> None:
    def go_on(number: int) -> None:
        while monotonic() < until:
            _send(port, parts, sources[number % len(sources)])

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(go_on, range(at_once)))


def _send(port: int, parts: Sequence[bytes], source: str = "127.0.0.1") -> None:
    with suppress(OSError):
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS, source_address=(source, 0))
        with connection:
            for part in parts:
                connection.sendall(part)
            while connection.recv(65_536):
                pass
