"""The service: the HTTP interface, and a worker beside it."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import ExitCode, end_command
from api.runtime.settings import Settings, make_address, read_settings

if TYPE_CHECKING:
    import ssl
    from socket import socket
    from types import FrameType

    from api.context import AppContext

ACCEPTED_AT_ONCE = 8
"""Connections that are taken before anything else is looked at. The event loop takes one from each socket in turn, so that the
one that is listened to is given to it as so many: with thousands that connect, the last of them would wait for long."""

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter from others: a request that derives a week must not hold up small ones."""

YOUNG_OBJECTS = 20_000
"""How many more objects there are before garbage is looked for. Deriving a week makes thousands, of which few are garbage."""

log = logging.getLogger(__name__)


def serve(
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.", show_default="8000")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="Serve by TLS with this certificate, a PEM file.", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The certificate's key, a PEM file.", show_default=False)] = None,
    accept_key: Annotated[
        bool, typer.Option("--accept-key", help="The key that signs is another one from now on; what it signed before ends.")
    ] = False,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also do what a worker does: make plans, send mail.")
    ] = True,
) -> None:
    """Run the service until stopped; its database is brought to the tables of this version first.

    Environment variables that begin with CLINICWEAVE_ set the rest. Ctrl-C or SIGTERM lets running requests end, and gives
    unfinished plans back to the queue.
    """
    gc.disable()  # until all is loaded: what is there from the start stays, and looking for garbage in it takes its time
    tls: dict[str, Any] = {"tls_certificate": certificate, "tls_key": key, "accept_key": accept_key or None}
    try:
        open_service(worker, host=host, port=port, **tls)
    finally:
        gc.enable()


def open_service(worker: bool = True, announce: Callable[[str], None] = lambda address: None, **overrides: Any) -> None:
    """Run the service by settings, of which some are overridden, until it is stopped.

    ``announce`` is called with the address once requests are answered there.
    """
    with _bound(read_settings(**overrides)) as listening:
        # Read again: with port 0 only the socket knows where it listens, and addresses that are given out name it.
        _run(read_settings(**overrides | {"port": listening.getsockname()[1]}), worker, listening, announce)


def _run(settings: Settings, worker: bool, listening: socket, announce: Callable[[str], None]) -> None:
    from api.background.jobs.worker import Worker
    from api.background.periodic_tasks import run_periodic_tasks
    from api.context import create_context
    from api.runtime.logs import write_logs
    from api.services.readiness import warn
    from api.store.database import warn_of_unsafe_wal
    from api.store.migrations import migrate
    from api.store.serving import occupied

    write_logs(settings.log_level)
    context = create_context(settings)
    with warnings.catch_warnings(record=True) as unsafe:
        if context.database.is_sqlite:
            warn_of_unsafe_wal()
    for warning in unsafe:
        log.warning("%s", warning.message)
    migrate(context.database)
    warn(context, settings.accept_key)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server raises what stopped it again at its end; that must unwind us, so that the worker stops too.
        signal.signal(number, _end)
    working = Worker(context.database, context.queue, settings.jobs_per_worker) if worker else nullcontext()
    with occupied(context.database), working, run_periodic_tasks(context) if worker else nullcontext():
        _listen(context, listening, announce)


def caldav(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The port to listen on.")] = 5232,
) -> None:
    """Serve the calendars of staff by CalDAV, for reading, until stopped.

    It needs the extra: pip install 'clinicweave[caldav]'. Staff log in by the name of their account, with a program's token
    as the password.
    """
    if find_spec("radicale") is None:
        raise end_command(ExitCode.BAD_INPUT, "Error: CalDAV is not installed; pip install 'clinicweave[caldav]'")
    # Another process, not an import: what serves CalDAV is under another licence, and no part of this program.
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    os.execv(sys.executable, [sys.executable, "-P", "-m", "api.caldav", where])


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listen(context: AppContext, listening: socket, announce: Callable[[str], None]) -> None:
    import uvicorn

    from api.http.app import create_app
    from api.http.server import Connections, Server, make_protocol

    class Service(Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Streams end by themselves when told; the server would wait for them.
            context.stopping.set()
            super().handle_exit(sig, frame)

        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            # Of sockets that it was given, the server does not say where they are.
            address = make_address(settings.host, listening.getsockname()[1], settings.tls_certificate is not None)
            log.info("running on %s", address)
            announce(address)
            Thread(target=_load_the_rest, name="loading", daemon=True).start()

    sys.setswitchinterval(SWITCH_SECONDS)
    settings = context.settings
    config = uvicorn.Config(
        create_app(context),
        host=settings.host,
        port=settings.port,
        http=make_protocol(Connections()),
        ws="none",
        log_config=None,
        access_log=False,  # it would write whole addresses; ours writes route patterns
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    Service(config, _tls(settings)).run([listening, *(listening.dup() for _ in range(ACCEPTED_AT_ONCE - 1))])


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return how callers are spoken to, None: in the clear."""
    if settings.tls_certificate is None:
        return None
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def _bound(settings: Settings) -> socket:
    """Return a socket bound to the address that is served. Raises ``OSError``, which names it.

    The server would say that a port is in use by an exit code of its own.
    """
    from socket import AF_INET, AF_INET6, create_server

    try:
        return create_server((settings.host, settings.port), family=AF_INET6 if ":" in settings.host else AF_INET)
    except OSError as error:
        reason = error.strerror if error.errno is None or error.errno < 0 else os.strerror(error.errno)
        raise OSError(error.errno, reason, f"{settings.host}:{settings.port}") from None


def _load_the_rest() -> None:
    """Load the solver, a third of all there is to load and needed by few requests; then collect garbage as usual."""
    try:
        import_module("solver")
    finally:
        gc.collect()
        gc.freeze()  # no collection while requests wait has to look at this again
        gc.set_threshold(YOUNG_OBJECTS)
        gc.enable()
