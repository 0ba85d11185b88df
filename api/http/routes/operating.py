"""How the service is: for balancers, monitors, and those who write programs against it."""

from __future__ import annotations

from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from api.http.dependencies import Shared
from api.http.gate import make_router
from api.http.routes.examples import show_example

router = make_router("operating")


class Health(BaseModel):
    """That the process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process answers; nothing else is looked at."""
    return Health()


class Readiness(Health):
    """That requests can be served, and what an operator should look into."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "warnings": []}]})

    warnings: list[str] = []


@router.get("/readyz")
def readyz(context: Shared) -> Readiness:
    """Say whether requests can be served: the database answers, has the tables of this version, and nobody ends the process."""
    context.expect_ready()
    return Readiness(warnings=context.warnings)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "clinicweave_requests_running 1.0\n"}}}},
)
def metrics(context: Shared) -> Response:
    """Return the figures that Prometheus reads."""
    return Response(context.metrics.text(), media_type=context.metrics.content_type)


@router.get(
    "/openapi.json",
    response_class=Response,
    responses=show_example({"openapi": "3.1.0"}),
)
def openapi(request: Request) -> Response:
    """Return this description of the service."""
    return Response(request.app.openapi_text, media_type="application/json")
