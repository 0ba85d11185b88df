"""Known callers are served before strangers, of whom few are served at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support.sockets import WAIT_SECONDS, connected, served, status_of
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.http import strangers
from api.http.server import EARLY_BYTES, Connections
from api.http.strangers import Strangers, find_network
from api.runtime.turns import Turns

ASK = b"GET %s HTTP/1.1\r\nHost: clinic\r\nConnection: close\r\n%s\r\n"
KNOWN = b"Authorization: Bearer known\r\n"


class Clinic:
    """An application that knows one credential, and answers nobody at ``/slow`` until it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.came = threading.Semaphore(0)
        self.inside = self.most_inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once, and count who is being answered."""
        if scope["type"] != "http":
            return
        if (b"authorization", b"Bearer known") in scope["headers"] and scope["path"] != "/ended":
            scope["state"]["actor"] = "somebody"
        else:
            scope["state"]["problem"] = "unauthenticated"
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        self.came.release()
        while scope["path"] == "/slow" and not self.let.is_set():
            await asyncio.sleep(0)
        self.inside -= 1
        await PlainTextResponse("")(scope, receive, send)


@contextmanager
def crowded(clinic: Clinic, shared: Connections, count: int) -> Iterator[int]:
    """Serve, and send slow requests of strangers; yield the port once those who are let in at once have come."""
    with served(clinic, shared) as port, ExitStack() as stack:
        with connected(port, ASK % (b"/", KNOWN)) as connection:
            assert status_of(connection) == 200
        clinic.came.acquire(timeout=WAIT_SECONDS)
        for _ in range(count):
            stack.enter_context(connected(port, ASK % (b"/slow", b"")))
        for _ in range(min(count, shared.strangers.at_once)):
            assert clinic.came.acquire(timeout=WAIT_SECONDS)
        try:
            yield port
        finally:
            clinic.let.set()


@pytest.fixture(autouse=True)
def held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stranger hold up the next until the answer."""
    monkeypatch.setattr(strangers, "HOLD_SECONDS", 1e6)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until the server has taken notice."""
    until = monotonic() + WAIT_SECONDS
    while not is_so():
        assert monotonic() < until


def asked(port: int, path: bytes = b"/", headers: bytes = b"", source: str = "127.0.0.1") -> int:
    """Return the status of an answer."""
    with connected(port, ASK % (path, headers), source=source) as connection:
        return status_of(connection)


def test_a_known_caller_waits_for_no_stranger() -> None:
    clinic = Clinic()
    with crowded(clinic, Connections(strangers=Strangers(at_once=2)), 20) as port:
        assert asked(port, headers=KNOWN) == 200
        assert not clinic.let.is_set() and clinic.most_inside <= 3


def test_a_credential_that_was_never_known_makes_no_stranger_known() -> None:
    clinic, shared = Clinic(), Connections(strangers=Strangers(at_once=1, places=1))
    with crowded(clinic, shared, 1) as port, connected(port, ASK % (b"/slow", b"")):
        wait_until(lambda: shared.strangers.is_full)
        assert asked(port, headers=b"Authorization: Bearer made up\r\n") == 503


def test_who_was_let_in_and_is_refused_later_is_a_stranger_again() -> None:
    clinic, shared = Clinic(), Connections(strangers=Strangers(at_once=1))
    with crowded(clinic, shared, 1) as port:
        assert asked(port, b"/ended", KNOWN) == 200
        shared.strangers.places = 0
        assert asked(port, headers=KNOWN) == 503


def test_strangers_are_all_answered_in_their_turn() -> None:
    clinic = Clinic()
    clinic.let.set()
    with served(clinic, Connections(strangers=Strangers(at_once=1))) as port, ExitStack() as stack:
        waiting = [stack.enter_context(connected(port, ASK % (b"/slow", b""))) for _ in range(30)]
        assert [status_of(connection) for connection in waiting] == [200] * 30
        assert clinic.most_inside == 1


def test_a_stranger_who_takes_long_holds_up_the_next_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "HOLD_SECONDS", 0.01)
    clinic = Clinic()
    with crowded(clinic, Connections(strangers=Strangers(at_once=1)), 5) as port:
        assert asked(port) == 200


def test_who_has_left_the_line_is_not_answered() -> None:
    clinic, shared = Clinic(), Connections(strangers=Strangers(at_once=1, places=1))
    with crowded(clinic, shared, 1) as port:
        with connected(port, ASK % (b"/left", b"")):
            wait_until(lambda: shared.strangers.is_full)
        wait_until(lambda: shared.count == 1)
        clinic.let.set()
        assert asked(port, headers=KNOWN) == 200
    assert clinic.came.acquire(blocking=False) and not clinic.came.acquire(blocking=False)


def test_no_more_callers_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MAX_KNOWN", 2)

    async def run() -> list[bool]:
        line = Strangers()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"]["actor"] = "somebody"

        callers = [[(b"cookie", b"%d" % number)] for number in range(3)]
        for headers in callers:
            await line.remember(app)({"headers": headers, "state": {}}, None, None)  # type: ignore[arg-type]
        return [line.knows(headers) for headers in callers]

    assert asyncio.run(run()) == [False, True, True]


def test_who_becomes_known_waits_no_longer_by_any_connection() -> None:
    async def run() -> list[str]:
        line, started = Strangers(at_once=1), list[tuple[Any, Any]]()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"]["actor"] = "somebody"

        def wait(name: str) -> None:
            headers = [(b"authorization", name[0].encode())]
            cycle: Any = SimpleNamespace(name=name, disconnected=name == "a4", scope={"headers": headers, "state": {}})
            line.wait(cycle, lambda answered: started.append((cycle, answered)), line.remember(app), lambda: None)

        for name in ("a1", "a2", "b1", "a3", "b2", "a4"):
            wait(name)
        cycle, answered = started[0]
        await answered(cycle.scope, None, None)
        return [cycle.name for cycle, _ in started]

    assert asyncio.run(run()) == ["a1", "a2", "a3", "b1"]


@pytest.mark.parametrize(
    ("path", "headers", "source", "is_answered"),
    [
        (b"/", b"", "127.0.0.2", True),
        (b"/readyz", b"", "127.0.0.1", True),
        (b"/", b"X-Forwarded-For: 192.0.2.7\r\n", "127.0.0.1", True),
        (b"/", b"", "127.0.0.1", False),
    ],
    ids=["another address", "a probe", "another behind the proxy", "the same address"],
)
def test_one_network_that_fills_the_line_keeps_no_other_from_its_turn(
    path: bytes, headers: bytes, source: str, is_answered: bool
) -> None:
    clinic, shared = Clinic(), Connections(strangers=Strangers(at_once=1, places=5))
    with crowded(clinic, shared, 6) as port:
        wait_until(lambda: shared.strangers.is_full)
        with connected(port, ASK % (path, headers), source=source) as connection:
            if not is_answered:
                assert status_of(connection) == 503
                return
            assert asked(port) == 503  # the network with the most in it gives up a place, and gets no other
            clinic.let.set()
            assert status_of(connection) == 200


def test_networks_take_turns() -> None:
    turns = Turns[str]()
    for name in ("a1", "a2", "a3", "b1", "a4", "c1", "b2"):
        assert turns.add(name[0], name, 7) is None
    assert turns.add("a", "a5", 7) == "a5"
    assert turns.add("d", "d1", 7) == "a4"
    assert turns.take_all(lambda name: name == "b1") == ["b1"]
    assert [turns.take() for _ in range(len(turns))] == ["a1", "b2", "c1", "d1", "a2", "a3"]


def test_half_a_body_holds_up_nobody() -> None:
    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            while (message := await receive()).get("more_body"):
                pass
            if message["type"] != "http.disconnect":
                await PlainTextResponse("")(scope, receive, send)

    begun = b"POST / HTTP/1.1\r\nHost: clinic\r\nContent-Length: 200000\r\n\r\n" + b"v" * (EARLY_BYTES + 1)
    shared = Connections(strangers=Strangers(at_once=1))
    with served(waiting, shared) as port, ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected(port, begun))
        assert asked(port) == 200


def test_only_a_trusted_proxy_names_another_caller() -> None:
    proxies = ProxyHeadersMiddleware(PlainTextResponse(""), "10.0.0.1").trusted_hosts  # type: ignore[arg-type]
    headers = [(b"x-forwarded-for", b"192.0.2.9, 192.0.2.7")]

    def found(host: str, path: str = "/") -> str:
        return find_network({"client": (host, 1), "headers": headers, "path": path}, proxies)

    assert found("10.0.0.1") == "192.0.2.7"
    assert found("10.0.0.2") == "10.0.0.2"
    assert found("10.0.0.2", "/readyz") != found("10.0.0.2", "/readyz/")
