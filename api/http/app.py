"""The composition root: one application from settings, store, routes, and what goes around them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from threading import Lock
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.access.table import ACCESS
from api.context import AppContext
from api.http.errors import install_handlers
from api.http.gate import COOKIE, GuardedRoute
from api.http.middleware import RequestContextMiddleware
from api.http.routes import ROUTERS
from api.web.api_page import make_api_page

THREADS = 80
"""Requests that one process works on at once: writers wait in a queue, and readers must find a thread beside them."""


class Application(FastAPI):
    """The service; its OpenAPI document tells how callers are known to each route, and which roles may use it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._making = Lock()

    def openapi(self) -> dict[str, Any]:
        """Return the document, which is made once: that takes seconds, and anybody may ask for it in each thread."""
        with self._making:
            return self._make_document()

    def _make_document(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = get_openapi(title=self.title, version=self.version, summary=self.summary, routes=self.routes)
            document["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            }
            for line in ACCESS:
                if not line.public:
                    operation = document["paths"][line.path][line.method.lower()]
                    operation["security"] = [{"bearer": []}, {"cookie": []}]
                    operation["x-roles"] = {role.value: scope.value for role, scope in line.roles.items()}
            self.openapi_schema = document
        return self.openapi_schema

    @cached_property
    def openapi_text(self) -> bytes:
        """The document as it is sent: anybody may ask for it, so that it is written once."""
        return json.dumps(self.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    @cached_property
    def api_page(self) -> str:
        """The document as a page for people, made once for the same reason."""
        return make_api_page(self.openapi())


def create_app(context: AppContext, routers: Sequence[APIRouter] = ROUTERS) -> FastAPI:
    """Put the application together.

    Raises
    ------
    LookupError
        When a route is not in the access table, goes around the gate, or a line of the table has no route.
    """
    app = Application(
        title="Clinicweave",
        summary="Plans a clinic's appointments and group workshops.",
        version="1",
        openapi_url=None,  # a route of ours, behind the gate like every other
        lifespan=_lifespan,
    )
    app.state.context = context
    for router in routers:
        app.router.routes.extend(router.routes)  # ready as they are; including would build each of them again
    expect_guarded(app)
    install_handlers(app)
    app.add_middleware(RequestContextMiddleware, context=context)
    return app


def expect_guarded(app: FastAPI) -> None:
    """Refuse an application whose routes are not exactly those of the access table. Raises ``LookupError``."""
    routed = set()
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, GuardedRoute) or route.path != route.original_route.path:
            raise LookupError(f"{route.path} goes around the gate")
        routed |= {(method, route.path) for method in route.methods or ()}
    listed = {(line.method, line.path) for line in ACCESS}
    if routed != listed:
        raise LookupError(f"routes and access table differ: {sorted(map(str, routed ^ listed))}")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
    app.state.context.close()
