"""Who is served first: callers who were known a while ago go in at once, and strangers one after the other by a line.

Strangers may come by the thousand, and each costs some milliseconds before the gate turns them away. Few are served at once,
so that those who read their patients' visits wait for few of them, however many there are. The networks that they come from
take turns, so that one that sends thousands keeps no other from its own.

Who is known is no matter of access: every request still passes the gate, which tells here what it found by ``actor`` and
``problem`` of the request's state.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from api.access.limits import get_network
from api.http.middleware import PROBES
from api.runtime.turns import Turns

AT_ONCE = 2
"""Strangers who are served at once."""

PLACES = 256
"""Strangers who wait in the line: a shift that begins has some hundred; one more is told to come again."""

HOLD_SECONDS = 0.1
"""How long one stranger holds up the next: who waits for something slow, such as a password's hash, then holds up nobody."""

KNOWN_SECONDS = 300.0
"""How long a credential that passed the gate is one of a known caller."""

MAX_KNOWN = 10_000
"""Known callers of one process; who has not been seen for longest gives way."""

NAMED_BY = (b"authorization", b"cookie")


class _Waiting(NamedTuple):
    """A request in the line, the hash of what may tell who asks, and what has it answered by an application, or refused."""

    cycle: RequestResponseCycle
    credential: bytes
    start: Callable[[ASGIApp], None]
    app: ASGIApp
    refuse: Callable[[], None]


@dataclass(slots=True)
class Strangers:
    """The line of strangers before one server, and who is none.

    Attributes
    ----------
    count : int
        Strangers who are being served and hold up the next.
    """

    at_once: int = AT_ONCE
    places: int = PLACES
    count: int = 0
    _line: Turns[_Waiting] = field(default_factory=Turns)
    _known: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    @property
    def is_full(self) -> bool:
        """Whether nobody else may wait."""
        return len(self._line) >= self.places

    def knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Return whether a request with some headers, whose names are in lower case, comes from a known caller."""
        return self._known.get(_digest(headers), 0.0) > asyncio.get_running_loop().time()

    def remember(self, app: ASGIApp) -> ASGIApp:
        """Return what answers as the application does, and notes whether the gate knew who asked."""

        async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if "actor" in scope["state"]:
                self._note(_digest(scope["headers"]))
            elif "problem" in scope["state"]:  # no longer known, or asks for more than it may
                self._known.pop(_digest(scope["headers"]), None)

        return remembering

    def wait(
        self,
        cycle: RequestResponseCycle,
        start: Callable[[ASGIApp], None],
        app: ASGIApp,
        refuse: Callable[[], None],
        network: str = "",
    ) -> None:
        """Let a stranger's request be answered in its network's turn, unless the stranger has left by then.

        Parameters
        ----------
        start
            Has the request answered by an application, in a task of its own.
        refuse
            Tells the stranger to come again: the line is full, and the network has the most in it.
        """
        waiting = _Waiting(cycle, _digest(cycle.scope["headers"]), start, app, refuse)
        gone = self._line.add(network, waiting, self.places)
        if gone is not None and not gone.cycle.disconnected:
            gone.refuse()
        self._call_next()

    def _note(self, credential: bytes) -> None:
        is_new = credential not in self._known
        self._known[credential] = asyncio.get_running_loop().time() + KNOWN_SECONDS
        self._known.move_to_end(credential)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        if is_new:
            self._let_in(credential)

    def _let_in(self, credential: bytes) -> None:
        """Answer at once who came by a credential before it was known: a shift that begins asks by many connections."""
        for waiting in self._line.take_all(lambda waiting: waiting.credential == credential):
            if not waiting.cycle.disconnected:
                waiting.start(waiting.app)

    def _holding(self, waiting: _Waiting) -> ASGIApp:
        """Return what answers as the application does, and holds up the next stranger until then, or for a moment.

        Who has not sent all of a body holds up nobody while it is waited for.
        """

        async def holding(scope: Scope, receive: Receive, send: Send) -> None:
            is_held = True

            def let_next() -> None:
                nonlocal is_held
                self.count -= is_held
                is_held = False
                self._call_next()

            async def receiving() -> Message:
                if waiting.cycle.more_body and not waiting.cycle.body:
                    let_next()
                return await receive()

            timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, let_next)
            try:
                await waiting.app(scope, receiving, send)
            finally:
                timer.cancel()
                let_next()

        return holding

    def _call_next(self) -> None:
        while len(self._line) and self.count < self.at_once:
            waiting = self._line.take()
            if not waiting.cycle.disconnected:
                self.count += 1
                waiting.start(self._holding(waiting))


def find_network(scope: Any, proxies: Any) -> str:
    """Return the network whose turn a request waits for: that of the caller whom a trusted proxy names, or of who connects.

    Probes have turns of their own, so that a service under load still says that it is there.

    Parameters
    ----------
    proxies
        What uvicorn trusts to name callers, None: nobody.
    """
    host = scope["client"][0] if scope["client"] else ""
    named = b", ".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    if named and proxies is not None and host in proxies:
        host = proxies.get_trusted_client_address(named)[0] or host
    return get_network(host) + (" probing" if scope["path"] in PROBES else "")


def _digest(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the hash of what may tell who asks; secrets themselves are not kept."""
    named = [value for name, value in headers if name in NAMED_BY]
    return hashlib.sha256(b"\n".join(named)).digest()
