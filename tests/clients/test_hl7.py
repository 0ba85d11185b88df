"""HL7 libraries of others read what goes out as it was meant, and send what is taken in."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.installed import HERE, Installed
from support.hl7 import APPOINTMENT, EVIL_NAME, peers, siu
from support.mllp import NOW, AcceptingReceiver, listening
from support.partners import partner

from api.hl7.acks import VERSIONS
from api.hl7.appointments import AppointmentEvent, Trigger
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


def test_what_mllp_send_sends_is_taken_and_answered(readers: Path, tmp_path: Path) -> None:
    file = tmp_path / "message.hl7"
    file.write_bytes(siu(control_id="C-7").replace("Jane", "Zoë 日本").encode())
    assert sent(readers, file) == (1, "MSA|AA|C-7")


def test_samples_that_mllp_send_sends_are_each_answered_once(readers: Path) -> None:
    for file in peers("hl7v2-microsoft", "[RS]*.hl7"):  # mllp_send makes two of one that begins with a byte order mark
        count, answer = sent(readers, file)
        assert count == 1 and answer.startswith("MSA|AA|MSG00"), file.name


def sent(readers: Path, file: Path) -> tuple[int, str]:
    """Let mllp_send send a file; return how many messages were taken in, and the MSA that it printed."""
    receiver = AcceptingReceiver()

    async def work() -> str:
        async with listening(receiver) as port:
            command = [str(readers.parent / "mllp_send"), "-p", str(port), "--loose", "-f", str(file), "127.0.0.1"]
            running = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            out, _ = await asyncio.wait_for(running.communicate(), 30)
            return out.decode()

    said = asyncio.run(work())
    return len(receiver.received), next((line for line in said.replace("\r", "\n").split("\n") if line.startswith("MSA")), said)
