"""What goes around every request: an id, headers that keep browsers safe, one log line, figures, and a last catch."""

from __future__ import annotations

import logging
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.context import AppContext
from api.http.errors import make_defect

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not set them itself: answers hold patients' data, and are kept by no cache."""

TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"

GONE = 499
"""The status, in the log alone, of a request whose caller has left before it was there; servers have agreed on it."""

UNROUTED = "none"
"""The route of a request that found none."""


class RequestContextMiddleware:
    """Goes around every request.

    Parameters
    ----------
    app
        What answers.
    context
        What requests share.
    """

    def __init__(self, app: ASGIApp, context: AppContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever goes wrong inside is an answer too."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = str(uuid4())
        status = 0
        began = perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(MutableHeaders(scope=message), request)
            await send(message)

        with self._context.metrics.running.track_inprogress():
            try:
                await self._app(scope, receive, sent)
            except ClientDisconnect:
                status = status or GONE
            except Exception:
                log.exception("defect", extra={"fields": {"request": request.state.request_id}})
                if status == 0:  # else the answer has begun, and can only break off
                    await make_defect(request)(scope, receive, sent)
            finally:
                self._record(request, status, perf_counter() - began)

    def _dress(self, headers: MutableHeaders, request: Request) -> None:
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._context.settings.secure:
            headers.setdefault("Strict-Transport-Security", TRANSPORT_SECURITY)
        headers["X-Request-Id"] = request.state.request_id

    def _record(self, request: Request, status: int, seconds: float) -> None:
        route = getattr(request.scope.get("route"), "path", UNROUTED)
        # A method is the caller's free text: unknown ones must not become ever more labels.
        method = request.method if route != UNROUTED else UNROUTED
        problem = getattr(request.state, "problem", None)
        actor = getattr(request.state, "actor", None)
        self._context.metrics.seconds.labels(method, route, status).observe(seconds)
        if problem is not None:
            self._context.metrics.problems.labels(problem).inc()
        fields = {
            "request": request.state.request_id,
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "actor": actor.id if actor else None,
            "role": actor.role if actor else None,
            "problem": problem,
        }
        log.info("request", extra={"fields": fields})
