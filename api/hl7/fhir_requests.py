"""Requests to a partner's FHIR server: bounded in time and length, and sent nowhere else than the file of partners says."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from api.hl7.client import Unanswered
from api.hl7.partners import Fhir, Tls
from api.hl7.tls import client_tls

CONNECT_SECONDS = 10.0
MAX_ANSWER_BYTES = 1024**2
JSON_KIND = "application/fhir+json"

LATER = (408, 429, 502, 503, 504)
"""Statuses by which a server says that it cannot answer now."""


@dataclass(frozen=True, slots=True)
class FhirAnswer:
    """What a server answered: the document is empty where it sent none that is an object of JSON."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None


class FhirRequests:
    """Sends requests to one server over connections that it keeps; redirections are not followed."""

    def __init__(self, fhir: Fhir, folder: Path) -> None:
        tls = client_tls(Tls(authorities=fhir.authorities), folder)
        assert isinstance(tls, ssl.SSLContext)
        self._answer_seconds = fhir.answer_seconds
        limits = httpx2.Timeout(fhir.answer_seconds, connect=CONNECT_SECONDS)
        self._client = httpx2.AsyncClient(verify=tls, timeout=limits, trust_env=False, follow_redirects=False)

    async def send(
        self,
        method: str,
        address: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> FhirAnswer:
        """Send a request and return its answer, whole within the partner's ``answer_seconds``, however slowly it comes.

        Raises
        ------
        Unanswered
            When there is none, or the server asks to wait.
        """
        kind = {} if body is None else {"Content-Type": JSON_KIND}
        try:
            async with (
                asyncio.timeout(self._answer_seconds),
                self._client.stream(
                    method,
                    address,
                    params=query,
                    data=form,
                    content=None if body is None else json.dumps(body).encode(),
                    headers={"Accept": JSON_KIND if form is None else "application/json", **kind, **(headers or {})},
                ) as answer,
            ):
                content = await _read(answer)
        except (TimeoutError, httpx2.TimeoutException):
            raise Unanswered("no answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unanswered(f"the request fails: {type(error).__name__}") from None
        if answer.status_code in LATER:
            raise Unanswered(f"it answers {answer.status_code}")
        return FhirAnswer(answer.status_code, _parse(content), answer.headers.get("etag"))

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()


async def _read(answer: httpx2.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise Unanswered(f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(content)


def _parse(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
