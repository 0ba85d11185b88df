"""The process that sends mail: it works until the end of its standard input, which is the end of its owner.

It has a session of its own, so that what kills its owner, or an interrupt from the terminal, does not cut it off in the middle
of a message. The settings are those of the environment. With ``--once`` it sends what is due, says on standard output what
came of it (:class:`api.background.mail.outbox_sender.SendCounts`), and ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from threading import Thread

from api.background.mail.outbox_sender import OutboxSender
from api.background.mail.smtp import Unreachable
from api.context import create_context
from api.runtime.logs import write_logs
from api.runtime.settings import read_settings

ONCE = "--once"
UNREACHABLE = 75
"""The exit code when the mail server does not answer: sysexits' EX_TEMPFAIL."""


def main() -> None:
    """Send messages."""
    settings = read_settings()
    write_logs(settings.log_level)
    context = create_context(settings)
    try:
        asyncio.run(_work(OutboxSender(context)))
    except Unreachable:
        sys.exit(UNREACHABLE)
    finally:
        context.close()


async def _work(sender: OutboxSender) -> None:
    loop = asyncio.get_running_loop()

    def stop_with_owner() -> None:
        while os.read(0, 1024):  # not by sys.stdin: a thread inside it would keep the interpreter from ending
            pass
        loop.call_soon_threadsafe(sender.stopping.set)

    Thread(target=stop_with_owner, daemon=True).start()
    if ONCE not in sys.argv:
        await sender.run()
        return
    sys.stdout.write(json.dumps(asdict(await sender.send_due())) + "\n")


if __name__ == "__main__":
    main()
