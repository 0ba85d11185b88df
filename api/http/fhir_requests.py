"""What all routes of FHIR share: their media type, which form of answers is wanted, and the address of the server.

References
----------
FHIR R4, sections 3.1.0.1.8 (versions and headers), 3.1.0.1.11 (content types and _format) and 3.1.0.1.5 (Prefer).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.context import AppContext
from api.fhir.bundles import make_searchset
from api.fhir.datatypes import Element
from api.fhir.searching import AFTER, Search, make_cursor
from api.fhir.serving import SearchResult
from api.http.answers import RouteResult
from api.http.errors import FHIR_MEDIA_TYPE

ROOT = "/fhir/r4"
FORM = "application/x-www-form-urlencoded"
FORMATS = ("json", "application/json", FHIR_MEDIA_TYPE)
VERSION = "4.0"


class FhirResponse(JSONResponse):
    """An answer of FHIR."""

    media_type = FHIR_MEDIA_TYPE


def get_base(context: AppContext) -> str:
    """Return the address of the server, before the types of resources."""
    return f"{context.settings.public_url.rstrip('/')}{ROOT}"


async def expect_readable(
    request: Request,
    format_: Annotated[str | None, Query(alias="_format", max_length=100, description="json, the only form.")] = None,
    pretty: Annotated[str | None, Query(alias="_pretty", max_length=5, description="Is not looked at.")] = None,
) -> None:
    """Refuse to answer in another form, or another version of FHIR, than there is."""
    wanted = [] if format_ is None else [format_.replace(" ", "+")]
    accepted = request.headers.get("accept", "")
    if wanted and wanted[0].partition(";")[0].strip() not in FORMATS:
        raise HTTPException(HTTPStatus.NOT_ACCEPTABLE, "only JSON is spoken here")
    for text in (*wanted, accepted, request.headers.get("content-type", "")):
        version = text.partition("fhirVersion=")[2].partition(";")[0].partition(",")[0].strip(' "')
        if version and version != VERSION:
            raise HTTPException(HTTPStatus.NOT_ACCEPTABLE, f"only version {VERSION} of FHIR is spoken here")
    kinds = [part.partition(";")[0].strip() for part in accepted.split(",") if part.strip()]
    if not wanted and kinds and not {*FORMATS, "*/*", "application/*"} & set(kinds):
        raise HTTPException(HTTPStatus.NOT_ACCEPTABLE, "only JSON is spoken here")


async def read_form(request: Request) -> list[tuple[str, str]]:
    """Return what a form holds, in its order; what stands in the address goes before it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and kind != FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a search is sent as {FORM}")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=300)
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form cannot be read") from None
    return [*request.query_params.multi_items(), *fields]


Readable = Depends(expect_readable)
Form = Annotated[list[tuple[str, str]], Depends(read_form)]


def answer_resource(resource: Element, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> RouteResult:
    """Return a resource as an answer, with its version and when it changed last."""
    meta = resource.get("meta", {})
    told = {"Content-Type": FHIR_MEDIA_TYPE, **(headers or {})}
    if "versionId" in meta:
        told["ETag"] = f'W/"{meta["versionId"]}"'
    if "lastUpdated" in meta:
        told["Last-Modified"] = format_datetime(_as_gmt(meta["lastUpdated"]), usegmt=True)
    return RouteResult(resource, status, headers=told)


def answer_search(base: str, search: Search, pairs: list[tuple[str, str]], result: SearchResult) -> RouteResult:
    """Return a page of a search, with the address of the next."""
    links = {"self": _address(base, search, pairs)}
    if result.next_after is not None:
        rest = [(name, value) for name, value in pairs if name != AFTER]
        links["next"] = _address(base, search, [*rest, (AFTER, make_cursor(result.next_after))])
    bundle = make_searchset(base, result.matches, links, result.total, result.included)
    return RouteResult(bundle, headers={"Content-Type": FHIR_MEDIA_TYPE})


def _address(base: str, search: Search, pairs: list[tuple[str, str]]) -> str:
    query = urlencode(pairs)
    return f"{base}/{search.type}?{query}" if query else f"{base}/{search.type}"


def _as_gmt(instant: Any) -> datetime:
    from datetime import UTC

    return datetime.fromisoformat(str(instant)).astimezone(UTC).replace(microsecond=0)
