"""What a route may ask for. Routes are plain functions, run in a thread: a transaction begins and ends inside one of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Request
from pydantic import BeforeValidator

from api.access.actor import Actor
from api.context import AppContext, get_context
from api.http.answers import Call
from scheduling.names import compose_id_if_text

MAX_KEY_CHARACTERS = 255


async def get_request_context(request: Request) -> AppContext:
    """Return what requests share."""
    return get_context(request)


async def get_actor(request: Request) -> Actor:
    """Return who asks, as the gate has found; a route that is public has nobody."""
    actor = request.state.actor
    assert isinstance(actor, Actor)
    return actor


Shared = Annotated[AppContext, Depends(get_request_context)]
Acting = Annotated[Actor, Depends(get_actor)]


async def get_call(context: Shared, actor: Acting) -> Call:
    """Return a request that reads."""
    return Call(context, actor)


async def get_conditional_call(
    context: Shared,
    actor: Acting,
    if_none_match: Annotated[str | None, Header(description="The ETag of what is known; 304 if it is so still.")] = None,
) -> Call:
    """Return a request that reads one thing, of which the caller may know a version."""
    return Call(context, actor, if_none_match=if_none_match)


async def get_creating_call(
    request: Request,
    context: Shared,
    actor: Acting,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=MAX_KEY_CHARACTERS, description="The same key does the same once, however often sent."),
    ] = None,
) -> Call:
    """Return a request that makes something."""
    return Call(context, actor, key=idempotency_key, digest=getattr(request.state, "digest", None))


async def get_changing_call(
    context: Shared,
    actor: Acting,
    if_match: Annotated[str | None, Header(description="The ETag of what is changed, as it was read.")] = None,
) -> Call:
    """Return a request that changes one version of something."""
    return Call(context, actor, if_match=if_match)


Reading = Annotated[Call, Depends(get_call)]
Fetching = Annotated[Call, Depends(get_conditional_call)]
Creating = Annotated[Call, Depends(get_creating_call)]
Changing = Annotated[Call, Depends(get_changing_call)]

PatientFilter = Annotated[str | None, BeforeValidator(compose_id_if_text), Query(max_length=100, description="Of one patient.")]
"""A query parameter that narrows a list to one patient, however their id is written."""
