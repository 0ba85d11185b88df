"""Reading an address that somebody has typed in: from the public internet alone, within limits."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import make_certificate

from api.runtime.fetching import Address, Fetcher, Unfetchable, expect_https, is_public

NAME = "calendars.example"

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_that_is_not_public_is_reached(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_as_the_one_that_it_stands_for(address: Address) -> None:
    for form in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(ip_address(form)) == is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://calendars.example/a.ics",
        "file:///etc/passwd",
        "https://",
        "https:///a.ics",
        "https://a:0/",
        "https://a:99999/",
        "https://user:secret@calendars.example/",
        "https://calendars.example/a b",
        "https://calendars.example/\r\nHost: x",
        "https://[::1",
        "https://" + "a" * 3000,
        "",
    ],
)
def test_only_https_addresses_are_read(url: str) -> None:
    with pytest.raises(Unfetchable):
        expect_https(url)


def test_webcal_is_read_by_https() -> None:
    assert expect_https("webcal://calendars.example/a.ics").geturl() == "https://calendars.example/a.ics"


# --- against a server of the test's own -----------------------------------------------------------------------------


@dataclass
class Elsewhere:
    """A TLS server on loopback that answers by path, and the fetcher that takes its name for a public one."""

    port: int
    context: ssl.SSLContext
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=lambda: {NAME: ["127.0.0.1"]})
    private: tuple[str, ...] = ()

    def fetcher(self, max_bytes: int = 1000, seconds: float = 5.0) -> Fetcher:
        """Return a fetcher to which this server is public, and nothing else."""

        def allowed(address: Address) -> bool:
            return (str(address) == "127.0.0.1" and "127.0.0.1" not in self.private) or is_public(address)

        return Fetcher(
            max_bytes, seconds, allowed, lambda host, _: [ip_address(name) for name in self.names[host]], self.context
        )

    def url(self, path: str, name: str = NAME) -> str:
        """Return the address of a path."""
        return f"https://{name}:{self.port}{path}"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    file = make_certificate(tmp_path, NAME, "other.example")
    place: list[Elsewhere] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place[0].asked.append((self.path, self.headers["Host"], self.headers["If-None-Match"]))
            getattr(self, self.path.strip("/").replace("-", "_").partition("?")[0], self.missing)()

        def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def missing(self) -> None:
            self.answer(404)

        def calendar(self) -> None:
            known = self.headers["If-None-Match"] == '"1"'
            self.answer(304 if known else 200, b"" if known else b"BEGIN:VCALENDAR", ETag='"1"')

        def long(self) -> None:
            self.answer(200, b"x" * 2000)

        def packed(self) -> None:
            self.answer(200, b"x", Content_Encoding="gzip")

        def here(self) -> None:
            self.answer(302, Location="/calendar")

        def round(self) -> None:
            self.answer(302, Location="/round")

        def plain(self) -> None:
            self.answer(302, Location="http://calendars.example/calendar")

        def inside(self) -> None:
            self.answer(302, Location=f"https://inside.example:{place[0].port}/calendar")

        def nowhere(self) -> None:
            self.answer(302, Location="https://[::1/x")

        def tagged(self) -> None:
            self.answer(200, b"BEGIN:VCALENDAR", ETag='"\u00e9"')

        def slow(self) -> None:
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b"x")
                self.wfile.flush()
                sleep(0.05)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    place.append(Elsewhere(server.server_address[1], ssl.create_default_context(cafile=str(file))))
    yield place[0]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_calendar_is_read_by_its_name_and_not_again_while_it_stays(elsewhere: Elsewhere) -> None:
    fetcher = elsewhere.fetcher()
    first = fetcher.fetch(elsewhere.url("/calendar"))
    assert (first.content, first.etag) == (b"BEGIN:VCALENDAR", '"1"')
    assert fetcher.fetch(elsewhere.url("/calendar"), first.etag).content is None
    assert elsewhere.asked[0] == ("/calendar", f"{NAME}:{elsewhere.port}", None)


def test_a_tag_that_no_request_can_carry_is_not_sent(elsewhere: Elsewhere) -> None:
    first = elsewhere.fetcher().fetch(elsewhere.url("/tagged"))
    assert elsewhere.fetcher().fetch(elsewhere.url("/tagged"), first.etag).content == b"BEGIN:VCALENDAR"
    assert [tag for *_, tag in elsewhere.asked] == [None, None]


def test_a_redirection_is_followed(elsewhere: Elsewhere) -> None:
    assert elsewhere.fetcher().fetch(elsewhere.url("/here")).content == b"BEGIN:VCALENDAR"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/missing", "answered 404"),
        ("/long", "longer than 1000"),
        ("/packed", "compressed"),
        ("/round", "too many redirections"),
        ("/plain", "no https"),
        ("/inside", "not one of the public internet"),
        ("/nowhere", "cannot be read"),
    ],
)
def test_what_is_not_read(elsewhere: Elsewhere, path: str, why: str) -> None:
    elsewhere.names["inside.example"] = ["10.0.0.1"]
    with pytest.raises(Unfetchable, match=why):
        elsewhere.fetcher().fetch(elsewhere.url(path))


def test_a_server_that_takes_its_time_is_left(elsewhere: Elsewhere) -> None:
    with pytest.raises(Unfetchable, match="too long"):
        elsewhere.fetcher(seconds=0.3).fetch(elsewhere.url("/slow"))


@pytest.mark.parametrize("also", ["10.0.0.1", "::1", "::ffff:169.254.169.254"])
def test_a_name_with_one_address_inside_is_not_read(elsewhere: Elsewhere, also: str) -> None:
    elsewhere.names[NAME] = ["127.0.0.1", also]
    with pytest.raises(Unfetchable, match="public"):
        elsewhere.fetcher().fetch(elsewhere.url("/calendar"))
    assert elsewhere.asked == []


def test_a_name_that_means_something_else_a_moment_later_is_not_asked_again(elsewhere: Elsewhere) -> None:
    looked_up: list[str] = []

    def rebinding(host: str, _: int) -> list[Address]:
        looked_up.append(host)
        return [ip_address("127.0.0.1" if len(looked_up) == 1 else "10.0.0.1")]

    fetcher = Fetcher(1000, 5.0, elsewhere.fetcher().allowed, rebinding, elsewhere.context)
    assert fetcher.fetch(elsewhere.url("/calendar")).content == b"BEGIN:VCALENDAR"
    assert looked_up == [NAME]


def test_a_server_without_the_names_certificate_is_not_read(elsewhere: Elsewhere) -> None:
    elsewhere.names["somebody.example"] = ["127.0.0.1"]
    with pytest.raises(Unfetchable, match="cannot be read"):
        elsewhere.fetcher().fetch(elsewhere.url("/calendar", "somebody.example"))


def test_without_the_guard_the_inside_would_be_read(elsewhere: Elsewhere) -> None:
    """The server is on loopback: the plain fetcher refuses it, and only it."""
    resolve: Callable[[str, int], list[Address]] = elsewhere.fetcher().resolve
    with pytest.raises(Unfetchable, match="public"):
        Fetcher(1000, 5.0, is_public, resolve, elsewhere.context).fetch(elsewhere.url("/calendar"))
    assert Fetcher(1000, 5.0, lambda _: True, resolve, elsewhere.context).fetch(elsewhere.url("/calendar")).content
