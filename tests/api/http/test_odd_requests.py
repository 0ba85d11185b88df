"""Requests of odd shapes, as no client sends them: each gets an answer of HTTP's own, none a defect, and reads go on."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from support.sockets import answered, connected, served

from api.context import AppContext
from api.http.app import create_app
from api.http.server import Connections

LOG_IN = b"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
READ = b"GET /v1/patients HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
TEXT = b'{"name": "scheduler", "password": "wrong, of course"}'
BOMB = gzip.compress(b" " * 20_000_000)


def chunked(*chunks: bytes) -> bytes:
    """Return the rest of a request that comes in chunks, each as it stands."""
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def sized(body: bytes, *headers: bytes) -> bytes:
    """Return the rest of a request with a body."""
    return b"".join(headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def form(parts: int, head: bytes) -> bytes:
    """Return the rest of a request with a form of many parts."""
    return sized(b"--b\r\n" + (head + b"\r\n\r\nv\r\n--b\r\n") * parts, b"Content-Type: multipart/form-data; boundary=b\r\n")


REQUESTS = {
    "chunk extensions": LOG_IN + JSON + chunked(b"35;%s\r\n%s\r\n" % (b"e=" + b"v" * 9000, TEXT), b"0\r\n\r\n"),
    "huge chunk": LOG_IN + JSON + chunked(b"fffffffffffffffffffff\r\n"),
    "negative chunk": LOG_IN + JSON + chunked(b"-1\r\n"),
    "trailers": LOG_IN + JSON + chunked(b"35\r\n%s\r\n" % TEXT, b"0\r\n", b"X-T: v\r\n" * 50, b"\r\n"),
    "expect": LOG_IN + JSON + sized(TEXT, b"Expect: 100-continue\r\n"),
    "expect something else": LOG_IN + JSON + sized(TEXT, b"Expect: the-impossible\r\n"),
    "gzip": LOG_IN + JSON + sized(BOMB, b"Content-Encoding: gzip\r\n"),
    "parts": LOG_IN + form(2_000, b"Content-Disposition: form-data; name=f"),
    "parts without heads": LOG_IN + form(2_000, b""),
    "charset": LOG_IN + sized(TEXT, b"Content-Type: application/json; charset=utf-7\r\n"),
    "utf-16": LOG_IN + JSON + sized(TEXT.decode().encode("utf-16")),
    "no such charset": LOG_IN + sized(TEXT, b"Content-Type: text/\xff; charset=\xff\r\n"),
    "doubled keys": LOG_IN + JSON + sized(b'{"name": "a", "name": ["b"], "password": "c", "password": {}}'),
    "two lengths": LOG_IN + JSON + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": LOG_IN + JSON + b"Content-Length: 5\r\n" + chunked(b"0\r\n\r\n"),
    "negative length": LOG_IN + JSON + b"Content-Length: -5\r\n\r\n",
    "two hosts": READ + b"Host: evil.example\r\n\r\n",
    "evil host": READ.replace(b"127.0.0.1", b"evil.example") + b"\r\n",
    "two credentials": READ + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "credential of bytes": READ + b"Authorization: Bearer \xff\xfe\r\n\r\n",
    "range": READ + b"Range: bytes=0-0,1-1,99999999999999999999-\r\n\r\n",
    "cookies": READ + b"Cookie: " + b"; ".join(b"c%d=v" % number for number in range(3_000)) + b"\r\n\r\n",
    "broken cookie": READ + b'Cookie: ="; \\; clinicweave_session="\\777\r\n\r\n',
    "long cookie": READ + b"Cookie: c=" + b"v" * 100_000 + b"\r\n\r\n",
    "HTTP/1.0": b"GET /v1/patients HTTP/1.0\r\n\r\n",
    "HTTP/9": b"GET /v1/patients HTTP/9.9\r\n\r\n",
    "absolute": b"GET http://evil.example/v1/patients HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "authority": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "lower case": READ.replace(b"GET", b"get") + b"\r\n",
    "trace": READ.replace(b"GET", b"TRACE") + b"\r\n",
    "unknown method": READ.replace(b"GET", b"BREW") + b"\r\n",
    "upgrade": READ + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two slashes": READ.replace(b"/v1/patients", b"//evil.example/v1") + b"\r\n",
    "up": READ.replace(b"/v1/patients", b"/static/..%2f..%2f..%2fetc/passwd") + b"\r\n",
    "up, twice": READ.replace(b"/v1/patients", b"/assets/%252e%252e/%252e%252e/etc/passwd") + b"\r\n",
    "no text": READ.replace(b"/v1/patients", b"/v1/patients/%ff%fe%00") + b"\r\n",
    "raw bytes": READ.replace(b"/v1/patients", b"/v1/\xff\xfe") + b"\r\n",
    "long query": READ.replace(b"/v1/patients", b"/v1/patients?words=" + b"a" * 1_000_000) + b"\r\n",
    "many parameters": READ.replace(b"/v1/patients", b"/v1/patients?" + b"&".join([b"a=b"] * 5_000)) + b"\r\n",
}


@pytest.fixture
def port(context: AppContext) -> Iterator[int]:
    """Serve the clinic, and return the port."""
    with served(create_app(context), Connections(arrival_seconds=0.5)) as port:
        yield port


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_an_odd_request_is_no_defect(port: int, request_: bytes) -> None:
    try:
        with connected(port, request_) as connection:
            answer = answered(connection)
    except ConnectionError:
        answer = b""  # refused before all of it was sent
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert all(status == 100 or 300 <= status < 500 for status in statuses), answer[:500]
    assert b"evil.example" not in answer and b"root:" not in answer


def test_an_odd_request_of_a_known_caller_is_no_defect_either(port: int, as_role: Any) -> None:
    headers = b"".join(b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in as_role("admin").items())
    for name, request in REQUESTS.items():
        first, _, rest = request.partition(b"\r\n")
        try:
            with connected(port, first + b"\r\n" + headers + rest) as connection:
                answer = answered(connection)
        except ConnectionError:
            continue
        statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert all(status < 500 for status in statuses), (name, answer[:500])


def test_what_would_be_a_defect_is_seen(context: AppContext) -> None:
    app = create_app(context)
    app.state.context = None
    with served(app, Connections()) as port, connected(port, READ + b"\r\n") as connection:
        assert answered(connection).startswith(b"HTTP/1.1 500")
