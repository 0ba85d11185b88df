"""TLS before a server: few handshakes at a time, each of which has to come to its end soon.

The event loops' own TLS shows a connection only once it is agreed on, so that any number of silent ones would be kept.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from socket import socket

MAX_HANDSHAKES = 200
"""Handshakes of one process at a time; beside its connections they fit into the 1,024 files that systems usually allow."""

HANDSHAKE_SECONDS = 5.0

END_SECONDS = 1.0
"""How long an ended connection waits for its caller to say so too; the loops' own 30 s would keep places of who never does."""

PAUSE_SECONDS = 1.0
"""How long nobody is accepted once that has failed, for want of files."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class TlsListener:
    """Accepts connections and agrees on TLS with each; the one that has taken longest gives way when there are too many.

    Parameters
    ----------
    make_protocol
        Makes what a connection becomes once TLS is agreed on.
    is_allowed
        Returns whether a network address may connect.
    """

    tls: ssl.SSLContext
    make_protocol: Callable[[], asyncio.BaseProtocol]
    is_allowed: Callable[[str], bool] = lambda address: True
    _agreeing: dict[asyncio.Task[object], None] = field(default_factory=dict)
    _sockets: list[socket] = field(default_factory=list)
    _accepting: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many have not agreed yet."""
        return len(self._agreeing)

    def listen(self, sockets: Iterable[socket], backlog: int) -> None:
        """Begin to accept from bound sockets, before each of which so many may wait."""
        for listening in sockets:
            self._sockets.append(listening)
            listening.setblocking(False)
            listening.listen(backlog)
            self._accepting.append(asyncio.create_task(self._accept(listening)))

    async def close(self) -> None:
        """Accept no more, and let go who has not agreed yet."""
        ending = [*self._accepting, *self._agreeing]
        self._accepting.clear()
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    async def _accept(self, listening: socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, address = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("nobody is accepted for a moment: %s", error.strerror)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self.is_allowed(address[0]):
                self._begin(plain)
            else:
                log.warning("a connection from %s is closed: not allowed", address[0])
                plain.close()
            await asyncio.sleep(0)  # many who wait to be accepted keep nobody waiting who is

    def _begin(self, plain: socket) -> None:
        plain.setblocking(False)
        is_begun = False

        async def agree() -> None:
            nonlocal is_begun
            is_begun = True
            await self._agree(plain)

        def end(_: object) -> None:
            self._agreeing.pop(agreeing, None)
            if not is_begun:  # else the event loop closes it
                plain.close()

        agreeing = asyncio.create_task(agree())
        self._agreeing[agreeing] = None
        agreeing.add_done_callback(end)
        if len(self._agreeing) > MAX_HANDSHAKES:
            oldest = next(iter(self._agreeing))
            del self._agreeing[oldest]
            oldest.cancel()

    async def _agree(self, plain: socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self.make_protocol,
                plain,
                ssl=self.tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=END_SECONDS,
            )
        except OSError as error:  # TLS that fails is of this kind too
            log.debug("no TLS: %s", type(error).__name__)
