"""A hospital's FHIR server in tests: Appointments and Patients, conditional create, versions, and tokens for what is signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from support.clients import KEY

from api.hl7.partners import Fhir, Partner

CLIENT = "clinicweave"
METADATA = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [
        {
            "mode": "server",
            "resource": [
                {"type": "Appointment", "interaction": [{"code": code} for code in ("search-type", "create", "update")]},
            ],
        }
    ],
}

Reply = tuple[int, dict[str, Any]]


@dataclass
class FhirServer:
    """Resources by type and id. ``before`` may answer instead, by method and path; ``asked`` are all requests in order."""

    url: str = ""
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=lambda: METADATA)
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    before: Callable[[str, str], Reply | None] = lambda method, path: None
    after: Callable[[str, str], None] = lambda method, path: None
    lock: Lock = field(default_factory=Lock)

    def appointments(self) -> dict[str, dict[str, Any]]:
        """Return the appointments by our identifier; there must be one of each."""
        found: dict[str, dict[str, Any]] = {}
        for (kind, _), resource in self.resources.items():
            if kind == "Appointment":
                identifier = resource["identifier"][0]["value"]
                assert identifier not in found, f"{identifier} stands twice"
                found[identifier] = resource
        return found

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer a request."""
        parts = urlsplit(target)
        path = parts.path.strip("/")
        self.asked.append(f"{method} {path}")
        if (instead := self.before(method, path)) is not None:
            return instead
        if path == "metadata":
            return 200, self.metadata
        if path == ".well-known/smart-configuration":
            return 200, {"token_endpoint": f"{self.url}/token"}
        if path == "token":
            return self._give_token(parse_qs(body.decode()))
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"resourceType": "OperationOutcome"}
        kind, _, identifier = path.partition("/")
        query = parse_qs(parts.query)
        if method == "GET":
            return 200, self._search(kind, query["identifier"][0])
        return self._store(kind, identifier, headers, json.loads(body))

    def _give_token(self, form: dict[str, list[str]]) -> Reply:
        claims = jwt.decode(form["client_assertion"][0], KEY, algorithms=["ES384"]).claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, f"{self.url}/token")
        assert claims["exp"] - claims["iat"] <= 300
        token = f"t{len(self.asked)}"
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": 300, "token_type": "bearer"}

    def _search(self, kind: str, token: str) -> dict[str, Any]:
        system, _, value = token.partition("|")
        wanted = {"system": system, "value": value}
        entries = [
            {"resource": resource}
            for (known, _), resource in self.resources.items()
            if known == kind and any(wanted.items() <= identifier.items() for identifier in resource["identifier"])
        ]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    def _store(self, kind: str, identifier: str, headers: dict[str, str], resource: dict[str, Any]) -> Reply:
        condition = headers.get("if-none-exist")
        if condition is not None and (known := self._search(kind, condition.removeprefix("identifier="))["entry"]):
            return 200, known[0]["resource"]
        standing = self.resources.get((kind, identifier))
        version = 0 if standing is None else int(standing["meta"]["versionId"])
        if standing is not None and headers.get("if-match") != f'W/"{version}"':
            return 412, {"resourceType": "OperationOutcome"}
        identifier = identifier or f"a{len(self.resources)}"
        kept = {**resource, "id": identifier, "meta": {"versionId": str(version + 1)}}
        self.resources[kind, identifier] = kept
        return (201 if standing is None else 200), kept


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ehr: FhirServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.ehr.lock:
            status, document = self.ehr.answer(self.command, self.path, headers, body)
        content = json.dumps(document).encode()
        self.ehr.after(self.command, self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """Serve on a free port of loopback."""
    ehr = FhirServer()
    handler = type("Handler", (_Handler,), {"ehr": ehr})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        ehr.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield ehr
        finally:
            server.shutdown()
            thread.join()


def furnish_key(folder: Path) -> str:
    """Write our private key into a folder, and return its file's name."""
    (folder / "own.jwk").write_text(json.dumps(KEY.as_dict(private=True)), encoding="utf-8")
    return "own.jwk"


def fhir_partner(partner: Partner, url: str, folder: Path, **changes: object) -> Partner:
    """Return a partner to whose FHIR server appointments go."""
    fhir = {"url": url, "client": CLIENT, "key": furnish_key(folder), "answer_seconds": 5.0, **changes}
    return partner.changed(fhir=Fhir.model_validate(fhir))
