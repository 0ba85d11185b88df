"""Who is served first: callers who were known a while ago go in at once, and strangers one after the other by a line.

Strangers may come by the thousand, and each costs some milliseconds before the gate turns them away. Few are served at once,
so that those who read their patients' visits wait for few of them, however many there are.

Who is known is no matter of access: every request still passes the gate, which tells here what it found by ``actor`` and
``problem`` of the request's state.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

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
    """A request in the line, the hash of what may tell who asks, and what has it answered by an application."""

    cycle: RequestResponseCycle
    credential: bytes
    start: Callable[[ASGIApp], None]
    app: ASGIApp


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
    _line: deque[_Waiting] = field(default_factory=deque)
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

    def wait(self, cycle: RequestResponseCycle, start: Callable[[ASGIApp], None], app: ASGIApp) -> None:
        """Let a stranger's request be answered in its turn, unless the stranger has left by then.

        Parameters
        ----------
        start
            Has the request answered by an application, in a task of its own.
        """
        self._line.append(_Waiting(cycle, _digest(cycle.scope["headers"]), start, app))
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
        known = [waiting for waiting in self._line if waiting.credential == credential]
        self._line = deque(waiting for waiting in self._line if waiting.credential != credential)
        for waiting in known:
            if not waiting.cycle.disconnected:
                waiting.start(waiting.app)

    def _holding(self, app: ASGIApp) -> ASGIApp:
        """Return what answers as the application does, and holds up the next stranger until then, or for a moment."""

        async def holding(scope: Scope, receive: Receive, send: Send) -> None:
            is_held = True

            def let_next() -> None:
                nonlocal is_held
                self.count -= is_held
                is_held = False
                self._call_next()

            timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, let_next)
            try:
                await app(scope, receive, send)
            finally:
                timer.cancel()
                let_next()

        return holding

    def _call_next(self) -> None:
        while self._line and self.count < self.at_once:
            waiting = self._line.popleft()
            if not waiting.cycle.disconnected:
                self.count += 1
                waiting.start(self._holding(waiting.app))


def _digest(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the hash of what may tell who asks; secrets themselves are not kept."""
    named = [value for name, value in headers if name in NAMED_BY]
    return hashlib.sha256(b"\n".join(named)).digest()
