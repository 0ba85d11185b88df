"""A PostgreSQL server of the tests' own, in a temporary directory, reached through a socket file there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

HOW_TO_GET_ONE = "no PostgreSQL server is installed: apt-get install postgresql, or put its initdb and pg_ctl on the PATH"

FOR_TESTS_ONLY = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB"

MIGRATED = "migrated"
"""The database with all tables and no rows that others are copies of."""

MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: each test's own copy of a database takes a sixth of the time there."""

GUARDED = "guarded"
"""The one role that has to give a password."""

PASSWORD = "p@ss/w:rd %41*é"

ROOM_BYTES = 2 * 1024**3
"""Free memory without which the server's files go to the disk."""


def binaries() -> Path | None:
    """Return the directory of the newest server's programs, None where there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    on_path = shutil.which("initdb")
    found = debian[-1] if debian else Path(on_path) if on_path else None
    return found.resolve().parent if found else None


@dataclass(frozen=True)
class PostgresServer:
    """A running server; everybody on this machine who can reach its directory is its superuser."""

    directory: Path

    def url(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://clinic@/{name}?host={self.directory}"

    def guarded_url(self, name: str) -> str:
        """Return the URL of one of its databases for the role that has to give its password."""
        return f"postgresql://{GUARDED}:{quote(PASSWORD, safe='')}@/{name}?host={self.directory}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database, a copy of another that nobody is connected to, and return its URL."""
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def leave(self, name: str) -> None:
        """End the connections to a database."""
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def drop(self, name: str) -> None:
        """Remove a database and end its connections."""
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def guard(self, data: Path) -> None:
        """Make the role that has to give its password, a superuser as the other is."""
        self._run(f"CREATE ROLE {GUARDED} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        rules = data / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n{rules.read_text()}")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> None:
        with psycopg.connect(host=str(self.directory), user="clinic", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def server(programs: Path) -> Iterator[PostgresServer]:
    """Start a server, and stop it at the end. It refuses to run as root, so root lends it another user."""
    user = next((name for name in ("postgres", "nobody") if _known(name)), None) if os.geteuid() == 0 else None
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix="pg-", dir=MEMORY if roomy else None, ignore_cleanup_errors=True) as place:
        if user is not None:
            shutil.chown(place, user)

        def run(*arguments: str) -> None:
            subprocess.run(
                [str(programs / arguments[0]), *arguments[1:]], user=user, cwd=place, check=True, stdout=subprocess.DEVNULL
            )

        data = f"{place}/data"
        run("initdb", "-D", data, "-U", "clinic", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"{FOR_TESTS_ONLY} -k {place}"
        run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", f"{place}/log", "-o", options, "start")
        try:
            running = PostgresServer(Path(place))
            running.guard(Path(data))
            yield running
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
