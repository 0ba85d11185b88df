"""FHIR R4: what this server can do, and reading and searching what it knows."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from fastapi import Path, Request, Response

from api.context import AppContext
from api.fhir.bundles import make_history
from api.fhir.capability import make_capability_statement
from api.fhir.datatypes import Element
from api.fhir.free_slots import asks_for_free, make_free_slots, read_free
from api.fhir.searching import INCLUDE, INCLUDES, SEARCHES, Search, list_names, read_search
from api.fhir.serving import read_resource, search_resources
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Reading, Shared
from api.http.errors import FHIR_MEDIA_TYPE
from api.http.fhir_requests import FORM, ROOT, FhirResponse, Form, Readable, answer_resource, answer_search, get_base
from api.http.gate import GuardedRoute, make_router
from api.runtime.exceptions import Conflict
from api.services.proposals.place_finding import find_places
from api.services.weeks.directory import load_directory
from scheduling.errors import UnknownId

router = make_router("fhir")

ResourceId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9.-]+$")]

TOKEN_PATH = "/oauth/token"

KNOWN: dict[int | str, dict[str, Any]] = {406: {"description": "Only JSON of FHIR 4.0 is spoken."}}


@router.get(f"{ROOT}/metadata", response_class=FhirResponse, dependencies=[Readable], responses=KNOWN)
def get_metadata(context: Shared) -> Response:
    """Return what this server can do: a CapabilityStatement."""
    token_url = context.settings.public_url.rstrip("/") + TOKEN_PATH
    return FhirResponse(make_capability_statement(get_base(context), _get_version(), token_url))


def _make_search(kind: str) -> Callable[..., Response]:
    def search(request: Request, call: Reading) -> Response:
        return _search(kind, request.query_params.multi_items(), call)

    search.__name__ = f"search_{kind.lower()}"
    search.__doc__ = f"Return a page of {kind} resources: a Bundle of type searchset."
    return search


def _make_post_search(kind: str) -> Callable[..., Response]:
    def search(pairs: Form, call: Reading) -> Response:
        return _search(kind, pairs, call)

    search.__name__ = f"post_search_{kind.lower()}"
    search.__doc__ = f"Return a page of {kind} resources; what is looked for stands in a form, and so in no address."
    return search


def _make_read(kind: str) -> Callable[..., Response]:
    def read(resource: ResourceId, call: Reading) -> Response:
        def act(session: Transaction) -> RouteResult:
            return answer_resource(read_resource(session, kind, resource))

        return call.disclose("fhir.read", kind, resource, act)

    read.__name__ = f"read_{kind.lower()}"
    read.__doc__ = f"Return one {kind}."
    return read


def _search(kind: str, pairs: list[tuple[str, str]], call: Reading) -> Response:
    search, base = read_search(kind, pairs), get_base(call.context)
    free = _find_free(call.context, search) if asks_for_free(search) else []

    def act(session: Transaction) -> RouteResult:
        return answer_search(base, search, pairs, search_resources(session, search, free, call.actor.may_see))

    return call.disclose("fhir.search", kind, "", act)


def _find_free(context: AppContext, search: Search) -> list[Element]:
    """Return when those looked for could begin a service; nothing where no week is built."""
    with context.database.reading() as session:
        here = load_directory(session)
    wanted = read_free(here, search)
    try:
        return list(make_free_slots(here, wanted, find_places(context, wanted).proposals))
    except Conflict:
        return []


def _describe_parameters(kind: str) -> list[dict[str, Any]]:
    """Return what OpenAPI says of a search's parameters."""
    told = {parameter.name: parameter.documentation for parameter in SEARCHES[kind]}
    told |= {"_count": "most resources of a page", "_after": "what the link to the next page has"}
    if kind in INCLUDES:
        told[INCLUDE] = f"what comes along: {', '.join(INCLUDES[kind])}"
    return [
        {"name": name, "in": "query", "description": text, "required": False, "schema": {"type": "string", "maxLength": 500}}
        for name, text in told.items()
    ]


FORM_BODY = {
    "requestBody": {
        "required": False,
        "content": {
            FORM: {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                "example": {"_id": "ana", "_count": "20"},
            }
        },
    }
}


def _add_routes(kind: str) -> None:
    """Add the routes by which a type is searched and read."""
    common: dict[str, Any] = {"tags": router.tags, "response_class": FhirResponse, "dependencies": [Readable]}
    names = list_names(kind)
    described = {"parameters": _describe_parameters(kind)}
    refused = {**KNOWN, 415: {"description": "A search is sent as a form."}}
    router.routes += [
        GuardedRoute(
            f"{ROOT}/{kind}",
            _make_search(kind),
            methods=["GET"],
            query_names=names,
            openapi_extra=described,
            responses=KNOWN,
            **common,
        ),
        GuardedRoute(
            f"{ROOT}/{kind}/_search",
            _make_post_search(kind),
            methods=["POST"],
            query_names=names,
            openapi_extra=FORM_BODY,
            responses=refused,
            **common,
        ),
        GuardedRoute(f"{ROOT}/{kind}/{{resource}}", _make_read(kind), methods=["GET"], responses=KNOWN, **common),
    ]


for searchable in SEARCHES:
    _add_routes(searchable)


@router.get(
    f"{ROOT}/Appointment/{{resource}}/_history",
    response_class=FhirResponse,
    dependencies=[Readable],
    responses=KNOWN,
)
def read_history(resource: ResourceId, call: Reading) -> Response:
    """Return the history of an appointment: its present version; of others nothing is kept."""
    base = get_base(call.context)

    def act(session: Transaction) -> RouteResult:
        link = f"{base}/Appointment/{resource}/_history"
        bundle = make_history(base, read_resource(session, "Appointment", resource), link)
        return RouteResult(bundle, headers={"Content-Type": FHIR_MEDIA_TYPE})

    return call.disclose("fhir.read", "Appointment", resource, act)


@router.get(
    f"{ROOT}/Appointment/{{resource}}/_history/{{vid}}",
    response_class=FhirResponse,
    dependencies=[Readable],
    responses=KNOWN,
)
def read_version(resource: ResourceId, vid: ResourceId, call: Reading) -> Response:
    """Return the present version of an appointment; of others nothing is kept."""

    def act(session: Transaction) -> RouteResult:
        shown = read_resource(session, "Appointment", resource)
        if shown["meta"]["versionId"] != vid:
            raise UnknownId("version of Appointment", f"{resource}/_history/{vid}")
        return answer_resource(shown)

    return call.disclose("fhir.read", "Appointment", resource, act)


def _get_version() -> str:
    try:
        return version("clinicweave")
    except PackageNotFoundError:
        return "unknown"
