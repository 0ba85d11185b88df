"""The process that speaks HL7: it listens to partners, works off what came in, and sends each what it is to know."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

from api.background.periodic_tasks import FORGET_SECONDS, PeriodicTask
from api.context import AppContext
from api.hl7.channels import MllpChannel, PartnerChannel
from api.hl7.fhir_channel import FhirChannel
from api.hl7.inbox import Inbox
from api.hl7.partners import Partner, Partners
from api.hl7.sender import PartnerSender
from api.hl7.server import MllpServer
from api.hl7.tls import client_tls, server_tls
from api.hl7.worker import InboxWorker
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import hl7

LOOK_SECONDS = 2.0
"""Between two looks into the inbox when nothing came in here: another process may have died over a message."""

AT_ONCE = 1_000
"""Messages that are forgotten in one transaction, for which other writers wait."""

log = logging.getLogger(__name__)


async def exchange_messages(context: AppContext, partners: Partners, folder: Path, say: Callable[[str], object]) -> None:
    """Exchange messages with all partners until the process is told to stop; messages in hand are finished.

    Parameters
    ----------
    folder
        Where paths of certificates begin.
    say
        Tells where it listens and to whom it sends.

    Raises
    ------
    InvalidFile
        When a certificate cannot be used.
    OSError
        When it cannot listen.
    """
    stopping, received = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    channels = {name: open_channel(partner, folder) for name, partner in partners.partners.items()}
    senders = [
        PartnerSender(context, name, partners.partners[name], channel)
        for name, channel in channels.items()
        if channel is not None
    ]
    inbox = Inbox(context, partners, lambda: loop.call_soon_threadsafe(received.set))
    server = await _listen(partners, folder, inbox, say)
    say(f"Appointments go to {len(senders)} of {len(partners.partners)} partners.")
    with ExitStack() as stack:
        stack.enter_context(PeriodicTask("forgetting old HL7 messages", FORGET_SECONDS, lambda: delete_old_messages(context)))
        working = asyncio.create_task(_work_off(InboxWorker(context, partners), received, stopping))
        sending = [asyncio.create_task(sender.run()) for sender in senders]
        await stopping.wait()
        for sender in senders:
            sender.stopping.set()
        if server is not None:
            await server.close()
        await asyncio.gather(working, *sending)


def open_channel(partner: Partner, folder: Path) -> PartnerChannel | None:
    """Return the way by which appointments reach a partner; None: there is none. Raises ``InvalidFile``."""
    if partner.fhir is not None:
        return FhirChannel(partner.fhir, folder)
    send = partner.hl7.send
    return None if send is None else MllpChannel(send, client_tls(send.tls, folder))


def delete_old_messages(context: AppContext) -> int:
    """Delete messages that ended long ago, and return how many."""
    before, gone = context.clock() - timedelta(days=context.settings.message_days), 0
    while True:
        with context.database.writing() as session:
            some = hl7.forget(session, before, AT_ONCE)
        gone += some
        if some < AT_ONCE:
            return gone


async def _listen(partners: Partners, folder: Path, inbox: Inbox, say: Callable[[str], object]) -> MllpServer | None:
    listen = partners.listen
    if listen is None:
        return None
    server = MllpServer(inbox, partners.is_allowed, tls=server_tls(listen.tls, folder))
    port = await server.listen(listen.host, listen.port)
    say(f"Messages are taken in at {listen.host}:{port}.")
    return server


async def _work_off(worker: InboxWorker, received: asyncio.Event, stopping: asyncio.Event) -> None:
    """Do what messages ask for as they come."""
    while not stopping.is_set():
        received.clear()
        try:
            await asyncio.to_thread(worker.work_off)
        except (StoreBusy, StoreUnusable) as error:
            log.warning("messages of partners wait for the store: %s", error)
        except Exception:  # whatever it is, the next look may go well
            log.exception("the inbox cannot be worked off")
        waits = [asyncio.ensure_future(event.wait()) for event in (received, stopping)]
        await asyncio.wait(waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait
