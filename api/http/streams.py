"""Answers that go on: a few for each caller, and none for longer than its caller may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.access.actor import Actor
from api.context import AppContext

LOOK_SECONDS = 5.0
"""Between two looks whether a stream's caller may still ask."""


class EventStream(StreamingResponse):
    """Server-sent events, which end when the session, token or link does by which their reader came.

    Raises ``TooMany`` when it is made for somebody who has too many open.
    """

    def __init__(
        self, context: AppContext, actor: Actor, events: AsyncIterator[str], look_seconds: float = LOOK_SECONDS
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._context = context
        self._actor = actor
        self._look_seconds = look_seconds
        context.streams.begin(actor.id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end, or nobody may have them any more."""
        is_complete = False

        async def sent(message: Message) -> None:
            nonlocal is_complete
            await send(message)
            is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, group.cancel_scope)
                await super().__call__(scope, receive, sent)
                group.cancel_scope.cancel()
            if not is_complete:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._context.streams.end(self._actor.id)

    async def _watch(self, streaming: anyio.CancelScope) -> None:
        while await anyio.to_thread.run_sync(self._context.is_live, self._actor):
            await anyio.sleep(self._look_seconds)
        streaming.cancel()
