"""Every error as an HTTP answer: one table from the error tree to RFC 9457 problems.

References
----------
RFC 9457, Problem Details for HTTP APIs, sections 3.1 (members) and 3.2 (extensions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.fhir.outcomes import Issue, get_issue_code, make_outcome
from api.runtime.exceptions import (
    CodeNeeded,
    Conflict,
    ErrorDetail,
    Forbidden,
    KeyReused,
    NoRoom,
    RulesBroken,
    ServiceError,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
    VersionMissing,
)
from api.store import errors as store
from scheduling.errors import MAX_PRINTED_FAULTS, ClinicweaveError, EventRefused, Fault, InvalidFile, UnknownId

PROBLEM_TYPE = "urn:problem-type:clinicweave:"
PROBLEM_MEDIA_TYPE = "application/problem+json"

FHIR_PATH = "/fhir/r4"
FHIR_MEDIA_TYPE = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its status, the end of its type, and its title."""

    status: HTTPStatus
    name: str
    title: str


DEFECT = ProblemType(HTTPStatus.INTERNAL_SERVER_ERROR, "defect", "A defect of Clinicweave; nothing was changed")
INVALID = ProblemType(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "The request cannot be understood")
BUSY = ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "A part that is needed does not answer")
CONFLICT = ProblemType(HTTPStatus.CONFLICT, "conflict", "It collides with what is there")
STALE = ProblemType(HTTPStatus.PRECONDITION_FAILED, "stale", "Somebody else has changed it since it was read")

PROBLEMS: Mapping[type[ClinicweaveError], ProblemType] = {
    ClinicweaveError: DEFECT,
    InvalidFile: INVALID,
    UnknownId: ProblemType(HTTPStatus.NOT_FOUND, "unknown", "There is no such thing"),
    EventRefused: ProblemType(HTTPStatus.CONFLICT, "event-refused", "It cannot have happened"),
    ServiceError: CONFLICT,
    Unauthenticated: ProblemType(HTTPStatus.UNAUTHORIZED, "unauthenticated", "Log in first"),
    CodeNeeded: ProblemType(HTTPStatus.UNAUTHORIZED, "code-needed", "A code of the second factor is needed"),
    Forbidden: ProblemType(HTTPStatus.FORBIDDEN, "forbidden", "Not allowed"),
    Conflict: CONFLICT,
    RulesBroken: ProblemType(HTTPStatus.CONFLICT, "rules-broken", "It would break rules"),
    NoRoom: ProblemType(HTTPStatus.CONFLICT, "no-room", "The day cannot take it"),
    Stale: STALE,
    VersionMissing: ProblemType(
        HTTPStatus.PRECONDITION_REQUIRED, "version-missing", "Say with If-Match which version is changed"
    ),
    KeyReused: ProblemType(
        HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", "The Idempotency-Key came before with another request"
    ),
    TooMany: ProblemType(HTTPStatus.TOO_MANY_REQUESTS, "too-many", "Too many; try again later"),
    Unavailable: BUSY,
    store.DoubleBooked: ProblemType(HTTPStatus.CONFLICT, "double-booked", "That time is taken"),
    store.AlreadyThere: CONFLICT,
    store.StillReferenced: CONFLICT,
    store.ConstraintViolated: CONFLICT,
    store.StaleVersion: STALE,
    store.StoreBusy: BUSY,
    store.StoreUnusable: BUSY,
}
"""What each error is to a caller. An error whose own class is not here is what its nearest ancestor is."""

RETRY_SECONDS = 2
"""When to ask again after an answer that says busy and no time."""


class ProblemDetail(BaseModel):
    """One reason of a problem; ``words`` say it to a scheduler."""

    rule: str | None = None
    path: str | None = None
    detail: str
    words: str | None = None


class Problem(BaseModel):
    """A problem as RFC 9457 has it, with its reasons."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[ProblemDetail] = []


def get_problem_type(error: ClinicweaveError) -> ProblemType:
    """Return what an error is to a caller."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def make_problem(request: Request, error: ClinicweaveError) -> JSONResponse:
    """Return the answer that an error of the tree gets; a defect's own words stay inside."""
    kind = get_problem_type(error)
    headers = {"WWW-Authenticate": 'Bearer realm="clinicweave"'} if kind.status == HTTPStatus.UNAUTHORIZED else {}
    if kind.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(error.retry_seconds if isinstance(error, TooMany) else RETRY_SECONDS)
    if kind is DEFECT:
        return _answer(request, kind, None, (), headers)
    if isinstance(error, InvalidFile):
        detail = f"{len(error.faults)} fault(s), of which at most {MAX_PRINTED_FAULTS} are named"
        return _answer(request, kind, detail, tuple(map(_ground, error.faults[:MAX_PRINTED_FAULTS])), headers)
    return _answer(request, kind, str(error), error.details if isinstance(error, ServiceError) else (), headers)


def make_defect(request: Request) -> JSONResponse:
    """Return the answer to a request that met a defect."""
    return _answer(request, DEFECT, None, (), {})


def make_plain_problem(request: Request, error: HTTPException) -> JSONResponse:
    """Return the answer that HTTP itself has a status for."""
    status = HTTPStatus(error.status_code)
    kind = ProblemType(status, status.phrase.lower().replace(" ", "-"), status.phrase)
    detail = None if error.detail == status.phrase else error.detail
    return _answer(request, kind, detail, (), dict(error.headers or {}))


def install_handlers(app: FastAPI) -> None:
    """Make every error of the application a problem."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ClinicweaveError)
        return make_problem(request, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # What was sent is not echoed: it may hold a patient's data, and answers are kept in more places than requests.
        details = tuple(ErrorDetail(fault["msg"], path=_path(fault["loc"])) for fault in error.errors()[:MAX_PRINTED_FAULTS])
        return _answer(request, INVALID, f"{len(error.errors())} fault(s)", details, {})

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return make_plain_problem(request, error)

    app.add_exception_handler(ClinicweaveError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the problems with which a route may answer."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def document_outcomes(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the outcomes with which a route of FHIR may answer."""
    content = {FHIR_MEDIA_TYPE: {"schema": {"type": "object", "description": "OperationOutcome"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is as the caller knows it."}}
"""What OpenAPI says of the answer to who knows the present version of what was asked for."""


def _answer(
    request: Request, kind: ProblemType, detail: str | None, details: tuple[ErrorDetail, ...], headers: Mapping[str, str]
) -> JSONResponse:
    request.state.problem = kind.name  # for the log and the figures
    if is_fhir(request.scope.get("path", "")):
        return _answer_with_outcome(kind, detail, details, headers)
    problem = Problem(
        type=PROBLEM_TYPE + kind.name,
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=f"urn:uuid:{request.state.request_id}" if hasattr(request.state, "request_id") else None,
        errors=[ProblemDetail(**asdict(error_detail)) for error_detail in details],
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), kind.status, headers=dict(headers), media_type=PROBLEM_MEDIA_TYPE
    )


def is_fhir(path: str) -> bool:
    """Return whether a path is one of FHIR's, which have their own way of telling what is wrong."""
    return path.startswith(FHIR_PATH)


def _answer_with_outcome(
    kind: ProblemType, detail: str | None, details: tuple[ErrorDetail, ...], headers: Mapping[str, str]
) -> JSONResponse:
    code = get_issue_code(kind.status)
    issues = [Issue(detail.detail, code, rule=detail.rule, place=detail.path) for detail in details]
    outcome = make_outcome(issues or [Issue(detail or kind.title, code)])
    return JSONResponse(outcome, kind.status, headers=dict(headers), media_type=FHIR_MEDIA_TYPE)


def _ground(fault: Fault) -> ErrorDetail:
    return ErrorDetail(fault.message, path=fault.path or None)


def _path(place: tuple[int | str, ...]) -> str:
    """Write a place as files' faults do: ``body.visits[12].service``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
