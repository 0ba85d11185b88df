"""HL7 libraries of others read what goes out as it was meant, and send what is taken in."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.installed import HERE, Installed
from clients.waiting import PATIENCE_SECONDS, listens, running, until
from support.hl7 import APPOINTMENT, EVIL_NAME, peers, siu
from support.mailserver import free_port
from support.mllp import NOW, AcceptingReceiver, listening
from support.partners import partner

from api.hl7.acks import VERSIONS
from api.hl7.appointments import AppointmentEvent, Trigger
from api.hl7.channels import MllpChannel
from api.hl7.codec import Message
from api.hl7.outbox import Outgoing
from api.hl7.partners import Send
from api.hl7.siu import REASONS, NamedPatient, make_siu

NAMES = {"Zoë 日本": ["日本", "Zoë"], f"{EVIL_NAME} Doe": ["Doe", EVIL_NAME.replace("\r", " ")]}


@pytest.fixture
def readers(installed: Installed) -> Path:
    """Return the Python of the clients, in which the libraries are."""
    if not installed.program("mllp_send").exists():
        pytest.fail("python-hl7 is not installed: run tests/clients/install", pytrace=False)
    return installed.program("python")


def written(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield messages of every version and event, and what their readers should find.

    hl7apy knows the other events of version 2.3 only by a structure that this version cannot name.
    """
    for version in VERSIONS:
        for trigger in REASONS if version != "2.3" else (Trigger.BOOKED,):
            for number, (name, parts) in enumerate(NAMES.items()):
                file = folder / f"{version}-{trigger.value}-{number}.hl7"
                event = AppointmentEvent(trigger, APPOINTMENT)
                file.write_bytes(make_siu(event, NamedPatient("pat", name), partner(version), "C-1", NOW))
                yield file, ["v-1", *parts, "20261130090000-0500", "1"]


def test_three_libraries_read_every_version_and_event_as_it_was_meant(readers: Path, tmp_path: Path) -> None:
    expected = dict(written(tmp_path))
    script = HERE / "readers" / "with_hl7.py"
    ran = subprocess.run([readers, script, *expected], capture_output=True, text=True, check=True)
    for (file, values), line in zip(expected.items(), ran.stdout.splitlines(), strict=True):
        assert json.loads(line) == dict.fromkeys(("python-hl7", "hl7apy", "hl7types"), values), file.name


def test_medplum_reads_the_same(installed: Installed, tmp_path: Path) -> None:
    expected = dict(written(tmp_path))
    command = ["node", HERE / "readers" / "medplum_hl7.mjs", *expected]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=with_packages(installed))
    for (file, values), line in zip(expected.items(), ran.stdout.splitlines(), strict=True):
        assert json.loads(line) == values, file.name


SENDERS = ("mllp_send", "simple-hl7", "node-hl7-client", "@medplum/hl7")


@pytest.mark.parametrize("library", SENDERS)
def test_what_a_library_sends_is_taken_and_answered(library: str, readers: Path, installed: Installed, tmp_path: Path) -> None:
    file = tmp_path / "message.hl7"
    content = siu(control_id="C-7").replace("Jane", "Zoë 日本").encode()
    file.write_bytes(content)
    received, said = sent(library, readers, installed, file)
    assert (len(received), said) == (1, ["AA", "C-7"])
    assert pid_of(received[0]) == pid_of(content)


def test_samples_that_mllp_send_sends_are_each_answered_once(readers: Path, installed: Installed) -> None:
    for file in peers("hl7v2-microsoft", "[RS]*.hl7"):  # mllp_send makes two of one that begins with a byte order mark
        received, (code, control_id) = sent("mllp_send", readers, installed, file)
        assert (len(received), code) == (1, "AA") and control_id.startswith("MSG00"), file.name


def sent(library: str, readers: Path, installed: Installed, file: Path) -> tuple[list[bytes], list[str]]:
    """Let a library send a file; return what was taken in, and the MSA-1 and MSA-2 that the library saw."""
    receiver = AcceptingReceiver()

    async def work() -> str:
        async with listening(receiver) as port:
            command = ["node", str(HERE / "drivers" / "hl7_send.mjs"), library, str(port), str(file)]
            if library == "mllp_send":
                command = [str(readers.parent / "mllp_send"), "-p", str(port), "--loose", "-f", str(file), "127.0.0.1"]
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=with_packages(installed))
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
            return out.decode()

    said = asyncio.run(work())
    if library != "mllp_send":
        return receiver.received, json.loads(said)
    lines = [line.split("|") for line in said.replace("\r", "\n").split("\n") if line.startswith("MSA")]
    return receiver.received, lines[0][1:3]


RECEIVERS = ("hl7apy", "node-hl7-server", "simple-hl7", "@medplum/hl7")


@pytest.mark.parametrize("library", RECEIVERS)
def test_a_library_takes_and_answers_what_we_send(library: str, readers: Path, installed: Installed, tmp_path: Path) -> None:
    port = free_port()
    command: list[str | Path] = ["node", HERE / "drivers" / "hl7_serve.mjs", library, str(port)]
    if library == "hl7apy":
        command = [readers, HERE / "drivers" / "serve_hl7apy.py", str(port)]
    log = tmp_path / "log"
    contents = [
        make_siu(AppointmentEvent(trigger, APPOINTMENT), NamedPatient("pat", name), partner(), f"C-{number}", NOW)
        for number, (trigger, name) in enumerate((trigger, name) for trigger in REASONS for name in NAMES)
    ]

    async def work() -> None:
        channel = MllpChannel(Send(host="127.0.0.1", port=port), None)
        for number, content in enumerate(contents):
            assert (await channel.exchange(Outgoing(f"C-{number}", content))).code == "AA"
        await channel.close()

    with running(command, log, env=with_packages(installed)):
        until(library, lambda: listens(port))
        asyncio.run(work())
    told = {line for line in log.read_text().splitlines() if line.startswith("[")}  # one of them takes a message more than once
    expected = {f"C-{number}": ["v-1", pid_of(content), 1] for number, content in enumerate(contents)}
    assert {identifier: values for identifier, *values in map(json.loads, told)} == expected


def pid_of(content: bytes) -> str:
    """Return PID-5 as it stands in a message."""
    segment = Message.parse(content.decode()).first("PID")
    assert segment is not None
    return segment.raw(5)


def with_packages(installed: Installed) -> dict[str, str]:
    """Return an environment by which Node finds its packages."""
    return {**os.environ, "NODE_PACKAGES": str(installed.node_packages)}
