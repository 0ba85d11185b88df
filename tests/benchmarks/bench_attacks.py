"""How a scheduler's reads and the service's memory fare while an outsider attacks it, as a Markdown table.

``bench_attacks.py [--seconds 5] [--undone]``: a service of its own for each attack, on an SQLite file. Reads come one after
another, each by a new connection. With ``--undone`` each attack is sent once more to a service without what holds it. The
exit code is 1 when the slowest hundredth of reads takes longer than ``MOST_SECONDS`` with all that holds, one fails, or memory
grows by more than ``MOST_MIB``.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from support import attacks, factories
from support.attacks import Attack, Fared, attack_and_read, silent_server
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
async def run(self, act): return await anyio.to_thread.run_sync(act)
BoundedPool.run, oidc.BACK_OFF_SECONDS = run, (0, 0)
"""
UNBOUNDED_BODIES = "import api.http.gate as gate; gate._bounded = lambda receive, headers, most: receive"
UNBOUNDED_SERVER = """
import api.http.server as server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
server.make_protocol = lambda shared: HttpToolsProtocol
"""
HELD: dict[str, tuple[Attack, str]] = {
    "silent provider": (attacks.log_in_elsewhere, UNPOOLED),
    "log-ins": (attacks.guess_passwords, UNPOOLED),
    "nested bodies": (attacks.send_nested, UNBOUNDED_BODIES),
    "heads": (attacks.send_heads, UNBOUNDED_SERVER),
    "halves": (attacks.send_halves, UNBOUNDED_SERVER),
    "idle": (attacks.keep_idle, UNBOUNDED_SERVER),
    "pipelined": (attacks.pipeline, UNBOUNDED_SERVER),
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
        program = f"import solver\n{undone}\nfrom api.cli.entry import main; main()"
        command = (sys.executable, "-c", program, "serve", "--port", "0", "--no-worker")
        given = {"oidc_issuer": issuer, "oidc_client_id": "clinic"} | ({"log_ins_per_minute": 1_000_000} if undone else {})
        with served(url, command=command, **given) as service:
            return attack_and_read(service.process.pid, service.address, bearer(scheduler), READ, attack, seconds)


def holds(fared: Fared) -> bool:
    """Return whether reads and memory stayed within what they may."""
    return not fared.failed and fared.p99_seconds < MOST_SECONDS and fared.grown_mib < MOST_MIB


def main() -> int:
    """Measure each attack."""
    parser = ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--undone", action="store_true")
    asked = parser.parse_args()
    rows = [(name, attack, "") for name, attack in OTHERS.items()] + [(name, attack, "") for name, (attack, _) in HELD.items()]
    if asked.undone:
        rows += [(f"{name}, undone", attack, undone) for name, (attack, undone) in HELD.items()]
    print("| attack | reads | 99 % | failed | memory |\n| --- | ---: | ---: | ---: | ---: |")
    is_held = True
    for name, attack, undone in rows:
        fared = fare(attack, undone, asked.seconds)
        is_held = is_held and (bool(undone) or holds(fared))
        print(
            f"| {name} | {fared.reads} | {fared.p99_seconds:.2f} s | {fared.failed} | +{fared.grown_mib:.0f} MiB |", flush=True
        )
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
