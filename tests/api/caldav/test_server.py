"""The server before Radicale: nobody who says nothing, or half of a request, keeps others from being answered."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from support.sockets import answered, connected

from api.caldav import server
from api.caldav.server import MAX_HEAD_BYTES, CalendarServer, bind

ASK = b"GET / HTTP/1.0\r\n\r\n"
HALF = b"PUT / HTTP/1.0\r\nContent-Length: 100\r\n\r\nhalf"


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with the body."""
    start_response("200 OK", [])
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))]


@contextmanager
def serving(application: Any = echo) -> Iterator[int]:
    """Serve an application, and yield the port."""
    with CalendarServer(socket.AF_INET, ("127.0.0.1", 0)) as serving:
        serving.set_app(application)
        thread = Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield serving.server_address[1]
        finally:
            serving.shutdown()
            thread.join()


def test_a_whole_request_is_answered() -> None:
    with serving() as port, connected(port, b"PUT / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", b"whole") as connection:
        answer = answered(connection)
    assert b" 200 OK" in answer and answer.endswith(b"whole")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HALF], ids=["nothing", "half a head", "half a body"])
def test_who_sends_no_whole_request_keeps_nobody_out(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 8)
    with serving() as port, ExitStack() as stack:
        waiting = [stack.enter_context(connected(port, sent)) for _ in range(30)]
        for _ in range(5):
            with connected(port, ASK) as connection:
                assert b" 200 OK" in answered(connection)
        assert answered(waiting[0]) == b""


def test_who_is_being_answered_gives_way_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    let, begun = Event(), Event()

    def slowly(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        begun.set()
        let.wait(30)
        return echo(environ, start_response)

    with serving(slowly) as port, connected(port, ASK) as first:
        assert begun.wait(30)
        with connected(port, ASK) as second:
            assert answered(second) == b""
        let.set()
        assert b" 200 OK" in answered(first)


@pytest.mark.parametrize("sent", [b"", HALF], ids=["nothing", "half a body"])
def test_a_request_that_does_not_come_in_time_is_ended(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ARRIVAL_SECONDS", 0.05)
    with serving() as port, connected(port, sent) as connection:
        assert answered(connection) == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.0\r\n" + b"X: %s\r\n" % (b"v" * (MAX_HEAD_BYTES // 2)) * 3 + b"\r\n", 431),
        (b"PUT / HTTP/1.0\r\nContent-Length: 1000001\r\n\r\n", 413),
        (b"PUT / HTTP/1.0\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", 413),
    ],
    ids=["head", "body", "length"],
)
def test_more_than_a_request_may_have_is_refused(sent: bytes, status: int) -> None:
    with serving() as port:
        with connected(port, sent) as connection:
            answer = answered(connection)
        assert not answer or f" {status} ".encode() in answer  # nothing when there was more to take than the connection held
        with connected(port, ASK) as connection:
            assert b" 200 OK" in answered(connection)


def test_a_name_is_served_where_it_can_be_and_an_address_that_is_taken_is_told() -> None:
    with serving() as port, pytest.raises(OSError, match="in use"):
        bind(f"127.0.0.1:{port}", echo)
    bound = bind("localhost:0", echo)
    assert "127.0.0.1" in [listening.server_address[0] for listening in bound]
    for listening in bound:
        listening.server_close()
