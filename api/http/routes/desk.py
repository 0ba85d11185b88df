"""The desk's application in a browser: one page, which reads the address, and the files that it is made of."""

from __future__ import annotations

from http import HTTPStatus
from mimetypes import guess_type
from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.responses import HTMLResponse

from api.http.dependencies import Shared
from api.http.errors import document_problems
from api.http.gate import make_router
from api.services.clinic.rosters import has_clinic
from api.web import pages
from api.web.api_page import make_api_page
from scheduling.errors import UnknownId

router = make_router("desk")

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # places on the board are style attributes
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy of pages: what is ours, and nothing else. Other answers may load nothing at all."""

FOR_EVER = "public, max-age=31536000, immutable"
"""A file's name holds a hash of its content, so what has that name never changes."""

VIEWS = ("/pathways", "/groups", "/outlook", "/today", "/tasks", "/patients", "/intake", "/roster", "/admin", "/log-in")
VIEWS_OF_A_WEEK = ("/weeks/{scenario}", "/weeks/{scenario}/plan", "/weeks/{scenario}/happened")
"""Addresses within the application, which may be opened directly."""

Identifier = Annotated[str, Path(max_length=100)]

APPLICATION: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"example": "<!doctype html>…"}}},
    404: {"description": "The pages were not built.", "content": {"text/html": {"example": "<!doctype html>…"}}},
}


@router.get("/", response_class=HTMLResponse, responses=APPLICATION)
def show_start(context: Shared) -> Response:
    """Return the application; before the service knows a clinic, a page that tells how to begin."""
    if not has_clinic(context.database):
        return _page(pages.make_first_run_page())
    return _show_application()


def show_view() -> Response:
    """Return the application, which shows what its address names."""
    return _show_application()


def show_week(scenario: Identifier) -> Response:
    """Return the application, which shows a week."""
    return _show_application()


@router.get("/visits/{visit}/why", response_class=HTMLResponse, responses=APPLICATION)
def show_visit(visit: Identifier) -> Response:
    """Return the application, which says why a visit is where it is, or nowhere."""
    return _show_application()


@router.get("/patients/{patient}", response_class=HTMLResponse, responses=APPLICATION)
def show_patient(patient: Identifier) -> Response:
    """Return the application, which shows a patient's visits."""
    return _show_application()


for addresses, show in ((VIEWS, show_view), (VIEWS_OF_A_WEEK, show_week)):
    for address in addresses:
        router.get(address, response_class=HTMLResponse, responses=APPLICATION)(show)


@router.get(
    "/assets/{name}",
    response_class=Response,
    responses={200: {"content": {"text/javascript": {"example": "…"}, "text/css": {"example": "…"}}}, **document_problems(404)},
)
def get_asset(name: Annotated[str, Path(max_length=200)]) -> Response:
    """Return a file that the application is made of."""
    file = pages.find_file(pages.DIST / "assets", name)
    if file is None:
        raise UnknownId("asset", name)
    kind = guess_type(file.name)[0] or "application/octet-stream"
    return Response(file.read_bytes(), headers={"Cache-Control": FOR_EVER}, media_type=kind)


@router.get("/docs", response_class=HTMLResponse, responses={200: {"content": {"text/html": {"example": "<!doctype html>…"}}}})
def show_api(request: Request) -> Response:
    """Return the page that describes this interface for people."""
    return _page(make_api_page(request.app.openapi()))


def _show_application() -> Response:
    file = pages.find_file(pages.DIST, "index.html")
    if file is None:
        return _page(pages.make_missing_page(), HTTPStatus.NOT_FOUND)
    return _page(file.read_text(encoding="utf-8"))


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE_POLICY})
