"""A service under an outsider's attack: what holds each attack, the same service without it, and what reads may suffer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from support import attacks, factories
from support.attacks import Attack, Fared, attack_and_read, silent_server
from support.certificates import make_certificate
from support.factories import visit
from support.frontdesk import furnish
from support.processes import served
from support.service import Clock, bearer

from api.store.columns import utc_now
from api.store.database import Database
from api.store.migrations import migrate

MOST_SECONDS, MOST_MIB = 1.0, 150.0
READ = "/v1/visits/v-1"

UNPOOLED = """
import anyio.to_thread
import api.access.oidc as oidc
from api.runtime.pools import BoundedPool
async def run(self, act, network=""): return await anyio.to_thread.run_sync(act)
BoundedPool.run, oidc.BACK_OFF_SECONDS = run, (0, 0)
"""
UNLINED = """
import api.http.strangers as strangers
strangers.Strangers.knows = lambda *_: True
"""
UNBOUNDED_BODIES = "import api.http.gate as gate; gate._bounded = lambda receive, headers, most: receive"
UNBOUNDED_SERVER = """
import api.http.server as server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
server.make_protocol = lambda shared: HttpToolsProtocol
"""
OWN_TLS = """
import uvicorn, api.http.server as server
async def startup(self, sockets=None):
    self.config.ssl = self.tls
    await uvicorn.Server.startup(self, sockets)
server.Server.startup = startup
"""
USUAL_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
"""
"""How many files and connections systems usually allow a process."""

HELD: dict[str, tuple[Attack, str]] = {
    "silent provider": (attacks.log_in_elsewhere, UNPOOLED + UNLINED),
    "log-ins": (attacks.guess_passwords, UNPOOLED + UNLINED),
    "nested bodies": (attacks.send_nested, UNBOUNDED_BODIES),
    "heads": (attacks.send_heads, UNBOUNDED_SERVER),
    "halves": (attacks.send_halves, UNBOUNDED_SERVER),
    "idle": (attacks.keep_idle, UNBOUNDED_SERVER),
    "pipelined": (attacks.pipeline, UNBOUNDED_SERVER),
    "silent by TLS": (attacks.say_nothing, OWN_TLS),
}
"""Attacks, and what of the service holds them, undone."""

OTHERS: dict[str, Attack] = {"nothing": attacks.wait, "read nothing": attacks.read_nothing}


def fare(attack: Attack, undone: str, seconds: float) -> Fared:
    """Attack a service of its own."""
    with tempfile.TemporaryDirectory() as folder, silent_server() as issuer:
        url = f"sqlite:///{folder}/store.db"
        database = Database(url)
        migrate(database)
        scheduler, _ = furnish(database, factories.scenario(visit("v-1", "pat")), None, Clock(utc_now()))
        database.close()
        program = f"{USUAL_FILES}\nimport solver\n{undone}\nfrom api.cli.entry import main; main()"
        command = (sys.executable, "-c", program, "serve", "--port", "0", "--no-worker")
        given: dict[str, Any] = {"oidc_issuer": issuer, "oidc_client_id": "clinic"}
        given |= {"log_ins_per_minute": 1_000_000} if undone else {}
        given |= {"tls_certificate": make_certificate(Path(folder), "clinic")} if attack is attacks.say_nothing else {}
        with served(url, command=command, **given) as service:
            return attack_and_read(service.process.pid, service.address, bearer(scheduler), READ, attack, seconds)


def holds(fared: Fared) -> bool:
    """Return whether reads and memory stayed within what they may."""
    return not fared.failed and fared.p99_seconds < MOST_SECONDS and fared.grown_mib < MOST_MIB
