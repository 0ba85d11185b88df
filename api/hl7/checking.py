"""Whether a partner can be spoken to: it is asked whether it listens, and what is wrong is said in words.

The question is a network management query (NMQ), which changes nothing anywhere. A partner that does not know it answers with
an error, which shows as well that it is reached and speaks HL7.

References
----------
HL7 version 2.5.1, section 14.3.1 (NMQ^N01).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.fhir.capability import FHIR_VERSION
from api.hl7.acks import Acknowledgement
from api.hl7.charsets import CODECS, encoded
from api.hl7.client import MllpConnection, Unanswered
from api.hl7.codec import Message, make_segment
from api.hl7.fhir_appointments import OWN_SYSTEM
from api.hl7.fhir_channel import FhirChannel
from api.hl7.partners import Fhir, Listen, Partner
from api.hl7.siu import message_header
from api.hl7.times import write_time
from api.hl7.tls import client_tls
from api.store.columns import new_id
from api.store.queries.hl7 import CONTROL_ID_CHARACTERS

NEEDED = ("search-type", "create", "update")
"""What a server must do with Appointment for ours to stand there."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a server on this machine is reached that listens everywhere."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at: whether it is as it should be, and what there is to say."""

    is_fine: bool
    words: str


async def check_partner(partner: Partner, listen: Listen | None, folder: Path, now: datetime) -> AsyncIterator[CheckResult]:
    """Look whether messages can go to a partner and come from it.

    Parameters
    ----------
    folder
        Where paths of certificates begin.
    """
    send, receive = partner.hl7.send, partner.hl7.receive
    if partner.fhir is not None:
        async for result in check_server(partner.fhir, folder):
            yield result
    elif send is None:
        yield CheckResult(True, "nothing is sent: its entry has no [hl7.send] and no [fhir]")
    else:
        yield await _asked(partner, f"{send.host}:{send.port}", folder, now)
    if receive is None or listen is None:
        yield CheckResult(True, "nothing is taken in: its entry has no [hl7.receive]")
    else:
        yield await _listens(listen)


async def check_server(fhir: Fhir, folder: Path) -> AsyncIterator[CheckResult]:
    """Look whether appointments can go to a FHIR server: what it says that it can do, and whether it lets us in."""
    channel = FhirChannel(fhir, folder)
    try:
        yield await _says_what_it_does(channel, fhir)
        answer = await channel.ask("GET", "Appointment", query={"identifier": f"{OWN_SYSTEM}|-"})
        is_fine = answer.status == 200
        yield CheckResult(is_fine, f"it answers a search of appointments with {answer.status}")
    except Unanswered as error:
        yield CheckResult(False, f"{fhir.url}: {error}")
    finally:
        await channel.close()


async def _says_what_it_does(channel: FhirChannel, fhir: Fhir) -> CheckResult:
    answer = await channel.ask("GET", "metadata")
    said = answer.document
    if answer.status != 200 or said.get("resourceType") != "CapabilityStatement":
        return CheckResult(False, f"{fhir.url}/metadata answers {answer.status}, and not what the server can do: see the url")
    if said.get("fhirVersion") != FHIR_VERSION:
        return CheckResult(False, f"{fhir.url} does not speak FHIR {FHIR_VERSION}")
    kinds = [kind for rest in said.get("rest", ()) for kind in rest.get("resource", ()) if kind.get("type") == "Appointment"]
    able = {interaction.get("code") for kind in kinds for interaction in kind.get("interaction", ())}
    missing = [name for name in NEEDED if name not in able]
    if missing:
        return CheckResult(False, f"{fhir.url} does not take appointments: it has no {', '.join(missing)} of Appointment")
    return CheckResult(True, f"{fhir.url} speaks FHIR {FHIR_VERSION} and takes appointments")


async def _asked(partner: Partner, place: str, folder: Path, now: datetime) -> CheckResult:
    send = partner.hl7.send
    assert send is not None
    control_id = new_id()[:CONTROL_ID_CHARACTERS]
    try:
        connection = await MllpConnection.open(send.host, send.port, client_tls(send.tls, folder), send.answer_seconds)
    except Unanswered as error:
        return CheckResult(False, f"{place} cannot be reached: {error}")
    try:
        answer = await connection.exchange(make_question(partner, control_id, now), control_id)
    except Unanswered as error:
        return CheckResult(False, f"{place} is reached, but a test message had no answer: {error}")
    finally:
        await connection.close()
    return CheckResult(answer.code in ("AA", "AE", "CA", "CE"), f"{place} answers {_in_words(answer)}")


def make_question(partner: Partner, control_id: str, now: datetime) -> bytes:
    """Make the question whether a partner listens."""
    header = {**message_header(partner, control_id, now), 9: ("NMQ", "N01")}
    clock = {1: write_time(now, partner.zone, partner.hl7.offsets)}
    message = Message((make_segment("MSH", header), make_segment("NCK", clock)))
    return encoded(str(message), CODECS[partner.hl7.charset])


def _in_words(answer: Acknowledgement) -> str:
    if answer.is_accepted:
        return f"a test message: {answer.code}"
    if answer.is_rejected:
        return f"{answer.code}: it refuses what we send; ask whether it knows our MSH-3 and MSH-4"
    return f"{answer.code}: it is reached and speaks HL7, but does not know test messages"


async def _listens(listen: Listen) -> CheckResult:
    """Look whether the process that takes messages in runs on this machine."""
    host = EVERYWHERE.get(listen.host, listen.host)
    if listen.port == 0:
        return CheckResult(True, "messages are taken in on a port that is free when the process starts")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, listen.port), 5.0)
    except (OSError, TimeoutError):
        return CheckResult(False, f"nothing takes messages in at {host}:{listen.port}: start clinicweave hl7")
    writer.close()
    return CheckResult(True, f"messages are taken in at {host}:{listen.port}")
