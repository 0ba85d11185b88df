"""``clinicweave hl7`` as a process of its own: started on a free port, ended or killed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from support.partners import WHOLE
from support.processes import COMMAND, ROOT, environment

STOP_SECONDS = 30


@dataclass
class Exchange:
    """A running process, the port at which it takes messages in, and the lines that it has logged."""

    process: subprocess.Popen[str]
    port: int
    log: list[str] = field(default_factory=list)

    def memory_mib(self) -> float:
        """Return what it holds in memory, MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024


@contextmanager
def exchanging(url: str, folder: Path, send_port: int | None = None, owner: str = "clinicweave") -> Iterator[Exchange]:
    """Run the process on a store; it sends to a port of loopback, or to nobody."""
    text = WHOLE.replace('owner = "clinicweave"', f'owner = "{owner}"')
    sending = '[partners.hospital.hl7.send]\nhost = "127.0.0.1"\nport = 6661\n'
    assert sending in text
    file = folder / "partners.toml"
    file.write_text(text.replace(sending, "" if send_port is None else sending.replace("6661", str(send_port))))
    running = subprocess.Popen(
        [*COMMAND, "hl7"], cwd=ROOT, env=environment(url, partners=file), stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    ports = (re.search(r"taken in at [\d.]+:(\d+)", line) for line in running.stderr)
    exchange = Exchange(running, int(next(found[1] for found in ports if found)))
    reader = Thread(target=exchange.log.extend, args=[running.stderr])
    reader.start()
    try:
        yield exchange
    finally:
        running.terminate()
        running.wait(STOP_SECONDS)
        reader.join()
        running.stderr.close()
