"""Validators that nobody here wrote find no fault in what we answer, and find those of resources that have one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from clients.installed import HERE, Installed, folder
from clients.peers import MONDAY, Demo, describe_wish, get_token
from clients.waiting import PATIENCE_SECONDS
from support.clients import EVERYTHING, parameters, refer_to
from support.hl7 import peers as samples

from scheduling.scenario import Scenario

KINDS = ("Appointment", "Schedule", "Location", "HealthcareService", "Practitioner", "PractitionerRole", "Patient")
"""What can be searched by its kind alone, but for referrals: the demo has none until one is sent."""

MISCOUNTED = "profile.element.cardinality.max CapabilityStatement.rest.resource."
"""What Pyrofile says where a part repeats in a part that repeats: it counts all of them together. The others count right."""

Verdicts = dict[str, list[str]]
"""The errors that each validator finds in a resource."""


@dataclass
class Visitor:
    """A hospital's system that keeps every answer as a file."""

    base: str
    headers: dict[str, str]
    folder: Path
    files: list[Path] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the resource that answers, once it is kept."""
        answer = httpx2.request(
            method, f"{self.base}/{path}".rstrip("/"), json=body, headers=self.headers | headers, timeout=PATIENCE_SECONDS
        )
        file = self.folder / f"{len(self.files):03}-{method}-{path.partition('?')[0].replace('/', '-') or 'base'}.json"
        file.write_text(answer.text, encoding="utf-8")
        self.files.append(file)
        return answer.json()

    def operate(self, name: str, **given: Any) -> list[dict[str, Any]]:
        """Return the appointments that an operation shows."""
        answer = self.ask("POST", f"Appointment/${name}", parameters(**given))
        return [entry["resource"] for entry in answer.get("entry", ()) if entry["search"]["mode"] == "match"]


def read_all(visitor: Visitor, week: Scenario) -> None:
    """Read what the server can do, and of every kind a page, one resource, and one that is not there."""
    visitor.ask("GET", "metadata")
    first = {}
    for kind in KINDS:
        bundle = visitor.ask("GET", f"{kind}?_count=50")
        first[kind] = bundle["entry"][0]["resource"]["id"]
        visitor.ask("GET", f"{kind}/{first[kind]}")
        visitor.ask("GET", f"{kind}/nobody")
        visitor.ask("GET", f"{kind}?colour=red")
    visitor.ask("GET", "Appointment?_count=50&_include=Appointment:patient&_include=Appointment:actor")
    slots = f"Slot?schedule=Schedule/{first['Schedule']}&start=ge{MONDAY}&start=lt{MONDAY + timedelta(days=5)}"
    visitor.ask("GET", slots)
    assert visitor.ask("GET", f"{slots}&status=free&service-type={min(visit.service for visit in week.visits)}")["total"]


def operate_all(visitor: Visitor, demo: Demo) -> None:
    """Find, hold, book, move and cancel, and be refused each."""
    wish = {part["name"].replace("-", "_"): part for part in describe_wish(demo)["parameter"]}
    wish = {name: {key: value for key, value in part.items() if key != "name"} for name, part in wish.items()}
    best, other, *_ = visitor.operate("find", **wish)
    saturday = {"valueDateTime": (MONDAY + timedelta(days=5)).isoformat()}
    assert visitor.operate("find", **wish | {"start": saturday, "end": saturday}) == []
    (held,) = visitor.operate("hold", appointment_reference=refer_to("Appointment", best["id"]))
    assert visitor.operate("hold", appointment_reference=refer_to("Appointment", "o.nothing")) == []
    (booked,) = visitor.operate("book", appointment_reference=refer_to("Appointment", held["id"]))
    moved = booked | {key: other[key] for key in ("start", "end", "participant")}
    (moved,) = visitor.operate("book", appointment_resource={"resource": moved})
    visitor.operate("book", appointment_resource={"resource": booked})
    visitor.ask("PUT", f"Appointment/{moved['id']}", moved | {"status": "arrived"})
    visitor.ask("PUT", f"Appointment/{moved['id']}", moved | {"status": "cancelled"}, **{"If-Match": 'W/"9.9"'})
    (cancelled,) = visitor.operate("book", appointment_resource={"resource": moved | {"status": "cancelled"}})
    assert (held["status"], booked["status"], cancelled["status"]) == ("pending", "booked", "cancelled")
    visitor.ask("GET", f"Appointment/{cancelled['id']}/_history/{cancelled['meta']['versionId']}")


def refer_somebody(visitor: Visitor) -> None:
    """Refer a patient whom nobody knows, and read what came of it."""
    newcomer = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "n-2"}], "name": [{"text": "Jo Newcomer"}]}
    code = {"coding": [{"system": "https://clinicweave.example/fhir/CodeSystem/referral-kind", "code": "new-patient-chronic"}]}
    order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": code}
    made = visitor.ask("POST", "ServiceRequest", order | {"contained": [newcomer], "subject": {"reference": "#p"}})
    assert made["resourceType"] == "ServiceRequest", made
    entry = {"request": {"method": "POST", "url": "ServiceRequest"}, "resource": order | {"subject": refer(made)}}
    visitor.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    visitor.ask("GET", "ServiceRequest?_count=50")


def refer(request: dict[str, Any]) -> dict[str, str]:
    """Return a reference to the patient of a referral."""
    return {"reference": str(request["subject"]["reference"])}


def validated(files: list[Path]) -> Iterator[tuple[str, Verdicts]]:
    """Yield the names of files, and what Pyrofile, fhir.resources and Medplum find in each."""
    installed, ihe = Installed(folder()), samples("ihe-iti-scheduling")[0].parent
    definitions = installed.node_packages / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
    script = HERE / "readers" / "with_fhir.py"
    others = run([installed.peers / "python", script, definitions, HERE / "profiles", ihe, *files])
    medplum = run(["node", HERE / "readers" / "medplum_fhir.mjs", *files])
    for file, verdicts, errors in zip(files, others, medplum, strict=True):
        shown = {**json.loads(verdicts), "medplum": json.loads(errors)}
        yield file.name, {name: [text for text in texts if not text.startswith(MISCOUNTED)] for name, texts in shown.items()}


def run(command: list[str | Path]) -> list[str]:
    """Return the lines that a validator prints."""
    packages = {"NODE_PACKAGES": str(Installed(folder()).node_packages)}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | packages, timeout=300
    ).stdout.splitlines()


@pytest.mark.usefixtures("peers")
def test_nobody_finds_a_fault_in_what_we_answer(demo: Demo, tmp_path: Path) -> None:
    visitor = Visitor(demo.base, {"Authorization": f"Bearer {get_token(demo, ' '.join(EVERYTHING))}"}, tmp_path)
    read_all(visitor, demo.week)
    operate_all(visitor, demo)
    refer_somebody(visitor)
    faults = {name: verdicts for name, verdicts in validated(visitor.files) if any(verdicts.values())}
    assert faults == {}
    assert len(visitor.files) > 40


@pytest.mark.usefixtures("peers")
def test_they_find_the_faults_of_others_and_none_where_there_is_none() -> None:
    inputs = samples("ihe-iti-scheduling")[0].parents[2] / "inputs" / "fhir"
    bad, good = (sorted((inputs / name).glob("*.json")) for name in ("bad", "good"))
    assert (len(bad), len(good)) == (27, 12)
    verdicts = dict(validated([*bad, *good]))
    assert sum(any(verdicts[file.name].values()) for file in bad) >= 24
    assert {file.name: verdicts[file.name] for file in good if any(verdicts[file.name].values())} == {}
