"""Streams are few for each caller, and end with what let them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from support.service import bearer

from api.access.actor import Actor
from api.access.limits import MAX_STREAMS, MAX_STREAMS_IN_ALL, OpenStreams
from api.context import AppContext
from api.http.streams import EventStream
from api.runtime.exceptions import TooMany


async def without_end() -> AsyncIterator[str]:
    """Tell one thing, and then nothing for ever."""
    yield "data: 1\n\n"
    await anyio.sleep_forever()


def streamed(context: AppContext, actor: Actor) -> list[dict[str, Any]]:
    """Return what a stream without end sends until it ends."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        with anyio.fail_after(60):
            stream = EventStream(context, actor, without_end(), look_seconds=0.01)
            await stream({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)

    anyio.run(run)
    return sent


def actor_of(context: AppContext, headers: dict[str, str]) -> Actor:
    return context.identify(headers["Authorization"].split()[1])


def test_a_stream_ends_with_the_session_of_its_reader(client: TestClient, context: AppContext, as_role: Any) -> None:
    headers = as_role("scheduler")
    actor = actor_of(context, headers)
    assert context.is_live(actor)
    assert client.delete("/v1/sessions/current", headers=headers).status_code == 204
    assert not context.is_live(actor)
    sent = streamed(context, actor)
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    context.streams.begin(actor.id)  # and its place is free again


def test_a_stream_ends_when_its_session_has_been_idle(context: AppContext, clock: Any, as_role: Any) -> None:
    actor = actor_of(context, as_role("scheduler"))
    clock.pass_by(minutes=30)
    assert streamed(context, actor)[-1]["more_body"] is False


@pytest.mark.parametrize("role", ["scheduler", "patient"])
def test_who_may_ask_is_live(context: AppContext, as_role: Any, role: str) -> None:
    assert context.is_live(actor_of(context, as_role(role)))


def test_a_link_that_was_ended_is_not_live(client: TestClient, context: AppContext, as_role: Any) -> None:
    actor = actor_of(context, as_role("patient"))
    assert client.delete(f"/v1/links/{actor.id}", headers=as_role("scheduler")).status_code == 204
    assert not context.is_live(actor)


def test_one_caller_has_a_few_streams_and_keeps_none_from_others(context: AppContext, as_role: Any) -> None:
    actor, other = actor_of(context, as_role("scheduler")), actor_of(context, as_role("admin"))
    for _ in range(MAX_STREAMS):
        EventStream(context, actor, without_end())
    with pytest.raises(TooMany):
        EventStream(context, actor, without_end())
    EventStream(context, other, without_end())


def test_many_callers_together_leave_connections_to_others() -> None:
    streams = OpenStreams()
    for number in range(MAX_STREAMS_IN_ALL):
        streams.begin(f"caller-{number // MAX_STREAMS}")
    with pytest.raises(TooMany):
        streams.begin("somebody else")
    streams.end("caller-0")
    streams.begin("somebody else")


def test_too_many_streams_are_a_problem_of_their_reader(client: TestClient, context: AppContext, as_role: Any) -> None:
    headers = as_role("scheduler")
    actor = actor_of(context, headers)
    for _ in range(MAX_STREAMS):
        context.streams.begin(actor.id)
    made = client.post("/v1/plans", json={"scenario": "test-week", "seconds": 1}, headers=headers).json()
    answer = client.get(f"/v1/plans/{made['id']}/events", headers=bearer(headers["Authorization"].split()[1]))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
