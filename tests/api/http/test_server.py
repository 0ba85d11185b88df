"""What arrives is bounded before there is a request: heads, half-sent bodies, and connections."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support.sockets import WAIT_SECONDS, answered, connected, served, status_of

from api.http.server import EARLY_BYTES, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED, Connections

ASK = b"GET / HTTP/1.1\r\nHost: clinic\r\nConnection: close\r\n"
HALF = b"POST / HTTP/1.1\r\nHost: clinic\r\nContent-Length: 100\r\n\r\nhalf"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer once the whole body is there; at ``/refused`` before any of it."""
    if scope["type"] != "http":
        return
    length, more = 0, scope["path"] != "/refused"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    await PlainTextResponse(str(length))(scope, receive, send)


def test_a_request_of_usual_size_is_answered() -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 200) for number in range(MAX_HEADERS - 2))
    with served(echo, Connections()) as port, connected(port, ASK + headers + b"\r\n") as connection:
        assert status_of(connection) == 200


@pytest.mark.parametrize(
    "head",
    [
        ASK + b"X-Long: " + b"v" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        ASK + b"X-Endless: " + b"v" * 4_000_000,
        ASK + b"a:b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"v" * 4_000_000,
    ],
    ids=["long", "endless", "many", "address", "trailer"],
)
def test_a_head_that_is_too_large_is_refused_before_it_is_whole(head: bytes) -> None:
    with served(echo, Connections()) as port:
        try:
            with connected(port, head) as connection:
                assert status_of(connection) in (431, 0)  # 0 when there was more to take than the connection held
        except ConnectionError:
            pass  # so soon that not all of it could be sent
        with connected(port, ASK + b"\r\n") as connection:
            assert status_of(connection) == 200


def test_what_is_no_request_is_refused() -> None:
    with served(echo, Connections()) as port, connected(port, b"\x16\x03\x01 nonsense\r\n\r\n") as connection:
        answer = answered(connection)
    assert answer.startswith(b"HTTP/1.1 400") and b"application/problem+json" in answer


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HALF], ids=["nothing", "half a head", "half a body"])
def test_a_request_that_does_not_come_in_time_is_ended(sent: bytes) -> None:
    with served(echo, Connections(arrival_seconds=0.05)) as port, connected(port, sent) as connection:
        assert status_of(connection) == (408 if sent else 0)


def test_a_body_that_is_not_wanted_has_to_end_in_time_too() -> None:
    refused = b"POST /refused HTTP/1.1\r\nHost: clinic\r\nContent-Length: 100000\r\n\r\n" + b"v" * (EARLY_BYTES + 1)
    with served(echo, Connections(arrival_seconds=0.05)) as port, connected(port, refused) as connection:
        assert answered(connection).startswith(b"HTTP/1.1 200")


def test_half_sent_requests_keep_nobody_out() -> None:
    shared = Connections(most=20)
    with served(echo, shared) as port, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(connected(port, HALF))
        for _ in range(5):
            with connected(port, ASK + b"\r\n") as connection:
                assert status_of(connection) == 200
        assert shared.count <= 20


def test_without_giving_way_half_sent_requests_would_fill_the_process() -> None:
    shared = Connections(most=MAX_CONNECTIONS)
    with served(echo, shared) as port, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(connected(port, HALF))
        with connected(port, ASK + b"\r\n") as connection:
            assert status_of(connection) == 200
        assert shared.count >= 60


def test_connections_that_are_answered_give_way_to_nobody() -> None:
    shared = Connections(most=0)
    with served(echo, shared) as port, connected(port) as connection:
        answer = answered(connection)
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 2" in answer


def test_more_requests_at_once_than_may_wait_end_the_connection() -> None:
    kept = ASK.replace(b"Connection: close\r\n", b"") + b"\r\n"
    with served(echo, Connections()) as port, connected(port, kept * (MAX_PIPELINED + 4)) as connection:
        answer = answered(connection)
    assert b"HTTP/1.1 429" in answer and answer.count(b"HTTP/1.1 200") <= MAX_PIPELINED


def test_answers_that_nobody_takes_keep_nobody_out() -> None:
    large = PlainTextResponse(b"v" * 4_000_000)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await (large if scope["path"] == "/large" else PlainTextResponse("small"))(scope, receive, send)

    with served(answer, Connections(most=4)) as port, ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(connected(port, ASK.replace(b"/ ", b"/large ", 1) + b"\r\n")).recv(1)
        with connected(port, ASK + b"\r\n") as connection:
            assert status_of(connection) == 200


def test_an_answer_ends_with_its_connection_whatever_was_asked_after_it() -> None:
    left = threading.Event()

    async def go_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            assert (await receive())["type"] == "http.disconnect"
            left.set()

    kept = ASK.replace(b"Connection: close\r\n", b"") + b"\r\n"
    with served(go_on, Connections()) as port:
        with connected(port, kept + kept):
            pass
        assert left.wait(WAIT_SECONDS)


def test_several_requests_on_one_connection_are_answered() -> None:
    kept = ASK.replace(b"Connection: close\r\n", b"") + b"\r\n"
    with served(echo, Connections()) as port, connected(port, kept + kept + HALF + b"x" * 96 + ASK + b"\r\n") as connection:
        assert answered(connection).count(b"HTTP/1.1 200") == 4
