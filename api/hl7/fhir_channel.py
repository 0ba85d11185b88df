"""Brings appointments to a partner's FHIR server: one resource for each, however often a message is sent.

An appointment is looked for by our identifier. Where there is none, it is created unless there is one by then
(``If-None-Exist``); else it is changed if nobody else has changed it meanwhile (``If-Match``), and looked for again if somebody
has. So a process that is killed between a request and its answer makes nothing twice, and overwrites no change unseen.

References
----------
FHIR R4, sections 3.1.0.8.1 (conditional create) and 3.1.0.5 (managing resource contention).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.fhir.datatypes import Element
from api.hl7.acks import Acknowledgement, AckVerdict
from api.hl7.client import Unanswered
from api.hl7.fhir_appointments import OWN_SYSTEM, merge
from api.hl7.fhir_requests import FhirAnswer, FhirRequests
from api.hl7.outbox import Outgoing
from api.hl7.partners import Fhir
from api.hl7.smart import TokenSource

ROUNDS = 4
"""How often an appointment is looked for again when somebody changes it at the same time."""

MAX_KNOWN_PATIENTS = 10_000

CHANGED_MEANWHILE = (409, 412)
REFUSED_FOR_GOOD = (400, 404, 405, 410, 413, 422)

log = logging.getLogger(__name__)


class _Refused(Exception):
    """A message that the server does not take; says whether it may take it later."""

    def __init__(self, words: str, verdict: AckVerdict) -> None:
        super().__init__(words)
        self.verdict = verdict


class FhirChannel:
    """Sends appointments to one server.

    Parameters
    ----------
    folder
        Where paths of the file of partners begin.

    Raises
    ------
    InvalidFile
        When the key or a certificate cannot be used.
    """

    def __init__(self, fhir: Fhir, folder: Path) -> None:
        self._fhir = fhir
        self._requests = FhirRequests(fhir, folder)
        self._tokens = TokenSource(self._requests, fhir, folder)
        self._patients: dict[str, str] = {}

    async def exchange(self, outgoing: Outgoing) -> Acknowledgement:
        """Bring an appointment there. Raises ``Unanswered``."""
        try:
            await self._put(json.loads(outgoing.content))
        except _Refused as refusal:
            log.warning("message %s is not taken: %s", outgoing.id, refusal)
            return Acknowledgement(refusal.verdict.value, outgoing.id, str(refusal))
        return Acknowledgement(AckVerdict.ACCEPTED.value, outgoing.id, "")

    async def ask(self, method: str, path: str, **request: Any) -> FhirAnswer:
        """Send a request with our token; with a new one where it is taken no more. Raises ``Unanswered``."""
        headers: Mapping[str, str] = request.pop("headers", {})
        for is_last in (False, True):
            told = {**headers, **await self._tokens.get_headers()}
            answer = await self._requests.send(method, f"{self._fhir.url}/{path}", headers=told, **request)
            if answer.status != 401 or is_last:
                break
            self._tokens.forget()
        if answer.status in (401, 403):
            raise Unanswered(f"it answers {answer.status}: we may not do this")
        return answer

    async def close(self) -> None:
        """End all connections."""
        await self._requests.close()

    async def _put(self, wanted: Element) -> None:
        await self._find_patient(wanted)
        token = f"{OWN_SYSTEM}|{wanted['identifier'][0]['value']}"
        for _ in range(ROUNDS):
            standing = await self._search("Appointment", token)
            if len(standing) > 1:
                raise _Refused("there are several appointments of one identifier", AckVerdict.REJECTED)
            answer = await (self._change(standing[0], wanted) if standing else self._create(wanted, token))
            if answer is None or answer.status == 201 or (standing and answer.status in (200, 204)):
                return
            if answer.status not in (200, *CHANGED_MEANWHILE):
                raise _refuse(answer)
        raise _Refused("somebody changes it again and again", AckVerdict.ERROR)

    async def _create(self, wanted: Element, token: str) -> FhirAnswer:
        """Create an appointment unless there is one by now, which 200 says."""
        return await self.ask("POST", "Appointment", body=wanted, headers={"If-None-Exist": f"identifier={token}"})

    async def _change(self, standing: Element, wanted: Element) -> FhirAnswer | None:
        """Change an appointment if it is still as it was found; None: it is as it should be."""
        merged = merge(standing, wanted)
        if merged == standing:
            return None
        version = standing.get("meta", {}).get("versionId")
        matching = {} if version is None else {"If-Match": f'W/"{version}"'}
        return await self.ask("PUT", f"Appointment/{standing['id']}", body=merged, headers=matching)

    async def _search(self, kind: str, token: str) -> list[Element]:
        answer = await self.ask("GET", kind, query={"identifier": token})
        if answer.status != 200 or answer.document.get("resourceType") != "Bundle":
            raise _refuse(answer)
        entries = [entry.get("resource", {}) for entry in answer.document.get("entry", ())]
        return [resource for resource in entries if resource.get("resourceType") == kind and "id" in resource]

    async def _find_patient(self, wanted: Element) -> None:
        """Refer to the patient as the server knows them, where it is told how they are known there."""
        if self._fhir.patients is None:
            return
        actor = wanted["participant"][0]["actor"]
        number = actor["identifier"]["value"]
        if number not in self._patients:
            known = await self._search("Patient", f"{self._fhir.patients}|{number}")
            if len(known) != 1:
                raise _Refused("the patient is not known there, or twice", AckVerdict.ERROR)
            if len(self._patients) >= MAX_KNOWN_PATIENTS:
                self._patients.clear()
            self._patients[number] = f"Patient/{known[0]['id']}"
        actor["reference"] = self._patients[number]


def _refuse(answer: FhirAnswer) -> _Refused:
    verdict = AckVerdict.REJECTED if answer.status in REFUSED_FOR_GOOD else AckVerdict.ERROR
    return _Refused(f"it answers {answer.status}", verdict)
