"""The commands about partners: whether one answers, and the messages out and in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from support.hl7 import siu
from support.mllp import LOOPBACK, AcceptingReceiver, listening
from support.partners import WHOLE, partner

from api.context import create_context
from api.hl7.inbox import Inbox
from api.hl7.partners import Partners
from api.runtime.settings import read_settings
from api.store.database import Database
from api.store.migrations import migrate


@pytest.fixture
def hospital(run: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what writes the file of partners, with some of its text changed."""
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", "sqlite:///clinic.db")
    monkeypatch.setenv("CLINICWEAVE_PARTNERS", "partners.toml")

    def write(**changes: str) -> None:
        text = WHOLE
        for old, new in changes.items():
            text = text.replace(f"{old} = 6661", f"{old} = {new}")
        Path("partners.toml").write_text(text)

    write()
    database = Database("sqlite:///clinic.db")
    migrate(database)
    database.close()
    return write


def while_listening(act: Callable[[int], None]) -> AcceptingReceiver:
    """Do something while a partner listens on loopback, and return what it got."""
    receiver, is_over = AcceptingReceiver(), Event()

    async def serve(begin: Callable[[int], None]) -> None:
        async with listening(receiver) as port:
            begin(port)
            await asyncio.to_thread(is_over.wait, 30)

    ready, ports = Event(), list[int]()

    def begin(port: int) -> None:
        ports.append(port)
        ready.set()

    thread = Thread(target=lambda: asyncio.run(serve(begin)))
    thread.start()
    try:
        assert ready.wait(30)
        act(ports[0])
    finally:
        is_over.set()
        thread.join()
    return receiver


def test_a_partner_that_answers_is_fine(run: Any, hospital: Callable[..., None]) -> None:
    def act(port: int) -> None:
        hospital(port=str(port))
        checked = run("partner", "check", "hospital")
        assert checked.code == 0, checked.out
        assert f"fine   127.0.0.1:{port} answers a test message: AA" in checked.out

    receiver = while_listening(act)
    assert b"NMQ^N01" in receiver.received[0]


def test_what_is_wrong_is_said_in_words(run: Any, hospital: Callable[..., None]) -> None:
    ports: list[int] = []
    while_listening(ports.append)
    hospital(port=str(ports[0]))
    checked = run("partner", "check", "hospital")
    assert checked.code == 2
    assert f"wrong  127.0.0.1:{ports[0]} cannot be reached: Connection refused" in checked.out


def test_an_unknown_partner_and_a_bad_file_are_said(run: Any, hospital: Callable[..., None]) -> None:
    assert run("partner", "check", "clinic").err == 'Error: unknown partner "clinic"\n'
    hospital(port='"x"')
    checked = run("partner", "check", "hospital")
    assert checked.code == 2 and "partners.hospital.hl7.send.port: must be a valid integer" in checked.err


def test_without_a_file_it_is_said_which_setting_names_it(
    run: Any, hospital: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLINICWEAVE_PARTNERS")
    for command in (("hl7",), ("partner", "check", "hospital")):
        assert run(*command).err == "Error: environment: CLINICWEAVE_PARTNERS: must name the file of partners\n"


def test_messages_are_listed_shown_without_names_and_done_again(run: Any, hospital: Callable[..., None]) -> None:
    context = create_context(read_settings())
    known = partner(receive={"addresses": [LOOPBACK]})
    inbox = Inbox(context, Partners.model_construct(listen=None, partners={"hospital": known}), lambda: None)
    inbox.receive(siu("S13", start="20261101013000").encode(), LOOPBACK)
    context.close()
    (row,) = json.loads(run("hl7", "list", "--json").out)
    assert (row["message"], row["event"], row["state"]) == ("in:1", "SIU^S13", "refused")
    assert "occurs twice" in run("hl7", "list", "--state", "refused").out
    assert run("hl7", "list", "--partner", "other").out == "There are no such messages.\n"
    shown = run("hl7", "show", "in:1").out
    assert "PID|1||p-1^^^HOSPITAL^MR||…" in shown and "Doe" not in shown and "TQ1|||||||20261101013000" in shown
    assert run("hl7", "resend", "in:1").code == 0
    assert json.loads(run("hl7", "list", "--json").out)[0]["state"] == "received"


@pytest.mark.parametrize("message", ["7", "in:x", "in:99", "out:none", "up:1", "in:²"])
def test_a_message_that_there_is_not_is_said(run: Any, hospital: Callable[..., None], message: str) -> None:
    for command in ("show", "resend"):
        told = run("hl7", command, message)
        assert told.code == 2 and "unknown message" in told.err


@pytest.mark.parametrize("command", [("hl7",), ("hl7", "list"), ("hl7", "show"), ("hl7", "resend"), ("partner", "check")])
def test_every_command_helps_with_an_example(run: Any, command: tuple[str, ...]) -> None:
    assert f"Example: clinicweave {' '.join(command)}" in run(*command, "--help").out
