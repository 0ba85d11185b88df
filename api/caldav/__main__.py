"""The process: Radicale, with the store behind it and the gate before it. The first argument is where to listen."""

from __future__ import annotations

import sys
from threading import Thread

from radicale import config
from radicale.app import Application

from api.caldav.server import LOOK_SECONDS, MAX_BODY_BYTES, bind
from api.context import create_context
from api.runtime.logs import write_logs
from api.runtime.settings import read_settings
from api.store.migrations import expect_store, migrate


def main(hosts: str) -> None:
    """Serve until stopped; the database is brought to the tables of this version first."""
    settings = read_settings()
    write_logs(settings.log_level)
    context = create_context(settings)
    expect_store(context.database)
    migrate(context.database)
    context.close()
    configuration = config.load()
    configuration.update(
        {
            # Whoever is made to wait holds a thread; guesses are bounded by their number.
            "server": {"max_content_length": str(MAX_BODY_BYTES), "delay_on_error": "0", "_internal_server": "True"},
            "auth": {"type": "api.caldav.access", "delay": "0", "cache_logins": "False"},
            "rights": {"type": "api.caldav.access"},
            "storage": {"type": "api.caldav.storage"},
            "web": {"type": "none"},
            "logging": {"level": "warning"},
        },
        "clinicweave",
        privileged=True,
    )
    first, *others = bind(hosts, Application(configuration))
    for server in others:
        Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
    first.serve_forever(LOOK_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
