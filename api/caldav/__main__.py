"""The process: Radicale, with the store behind it and the gate before it. The first argument is where to listen."""

from __future__ import annotations

import sys

from radicale import config, server

from api.context import create_context
from api.runtime.logs import write_logs
from api.runtime.settings import read_settings
from api.store.migrations import expect_store, migrate

MAX_BODY_BYTES = 1_000_000
"""Longest body: nothing is written here, and what is asked for is named in a few lines of XML."""


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
            "server": {"hosts": hosts, "max_content_length": str(MAX_BODY_BYTES)},
            "auth": {"type": "api.caldav.access", "delay": "1", "cache_logins": "False"},
            "rights": {"type": "api.caldav.access"},
            "storage": {"type": "api.caldav.storage"},
            "web": {"type": "none"},
            "logging": {"level": "warning"},
        },
        "clinicweave",
        privileged=True,
    )
    server.serve(configuration)


if __name__ == "__main__":
    main(sys.argv[1])
