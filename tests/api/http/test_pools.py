"""Whoever logs in keeps nobody waiting who is in already: passwords and the identity provider have threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest
from support.service import PASSWORD

from api.access import passwords
from api.access.oidc import BACK_OFF_SECONDS, IdentityProvider
from api.context import AppContext
from api.http.app import THREADS, create_app
from api.runtime.exceptions import Unavailable
from api.runtime.pools import BoundedPool
from api.runtime.settings import Settings

READ = "/v1/accounts"


def asked_while_held(
    context: AppContext,
    headers: dict[str, str],
    ask: Callable[[httpx2.AsyncClient], Any],
    count: int,
    held: threading.Event,
    seconds: float = 60,
) -> tuple[int, list[int]]:
    """Send so many requests that something holds, then a read, and let go.

    Returns
    -------
    tuple
        The status of the read, 0 when it was not answered within so many seconds, and those of the others.
    """
    statuses: list[int] = []
    read = 0

    async def send(client: httpx2.AsyncClient) -> None:
        statuses.append((await ask(client)).status_code)

    async def run() -> None:
        nonlocal read
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(create_app(context)), base_url="http://testserver")
        async with client, anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(send, client)
            await anyio.wait_all_tasks_blocked()
            with anyio.move_on_after(seconds):
                read = (await client.get(READ, headers=headers)).status_code
            held.set()

    anyio.run(run)
    return read, statuses


def begin(client: httpx2.AsyncClient) -> Any:
    """Begin to log in elsewhere."""
    return client.get("/v1/oidc/log-in")


@pytest.fixture
def silent(settings: Settings) -> tuple[IdentityProvider, threading.Event, list[str]]:
    """Return an identity provider that says nothing until it is let, the event that lets it, and what it was asked."""
    let, asked = threading.Event(), []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        let.wait(60)
        raise httpx2.ReadTimeout("silent")

    given = {"oidc_issuer": "https://login.example", "oidc_client_id": "clinic"}
    return IdentityProvider(settings.model_copy(update=given), httpx2.MockTransport(answer), lambda: 0.0), let, asked


def test_a_silent_identity_provider_keeps_no_reader_waiting(context: AppContext, as_role: Any, silent: Any) -> None:
    headers = as_role("admin")
    context.identity_provider, let, asked = silent
    read, others = asked_while_held(context, headers, begin, THREADS + 20, let)
    assert read == 200
    assert others == [503] * (THREADS + 20)
    assert len(asked) == 1  # and nobody who waited asks it again


def test_in_the_threads_of_readers_it_would(
    context: AppContext, as_role: Any, silent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = as_role("admin")
    context.identity_provider, let, _ = silent

    async def run(_: BoundedPool, act: Callable[[], Any], network: str = "") -> Any:
        return await anyio.to_thread.run_sync(act)

    monkeypatch.setattr(BoundedPool, "run", run)
    assert asked_while_held(context, headers, begin, THREADS + 20, let, seconds=0.2)[0] == 0


@pytest.mark.parametrize(
    ("path", "form"), [("/v1/providers/ana/outside-calendars", "json"), ("/me/outside-calendars", "data")], ids=["API", "page"]
)
def test_calendars_that_come_slowly_keep_no_reader_waiting(
    context: AppContext, as_role: Any, monkeypatch: pytest.MonkeyPatch, path: str, form: str
) -> None:
    headers, clinician, let = as_role("admin"), as_role("clinician"), threading.Event()

    def slowly(*_: Any) -> Any:
        let.wait(60)
        raise Unavailable("it does not answer")

    monkeypatch.setattr("api.services.calendars.outside.read_calendar", slowly)
    body = {"name": "own", "url": "https://slow.example/c.ics"}
    sent: dict[str, Any] = {form: body, "headers": clinician | {"Sec-Fetch-Site": "same-origin"}}
    read, others = asked_while_held(context, headers, lambda client: client.post(path, **sent), THREADS + 20, let)
    assert (read, set(others)) == (200, {503})


def test_a_provider_that_fails_is_left_alone_for_longer_each_time(settings: Settings) -> None:
    now, asked = [0.0], []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(now[0])
        raise httpx2.ConnectError("down")

    given = {"oidc_issuer": "https://login.example", "oidc_client_id": "clinic"}
    transport = httpx2.MockTransport(answer)
    provider = IdentityProvider(settings.model_copy(update=given), transport, lambda: now[0])
    for second in range(100):
        now[0] = float(second)
        with pytest.raises(Unavailable):
            provider.begin()
    assert BACK_OFF_SECONDS == (2.0, 60.0)
    assert asked == [0, 2, 6, 14, 30, 62]


def test_a_shift_that_logs_in_at_once_comes_in_and_more_are_told_to_wait(
    context: AppContext, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, let = as_role("admin"), threading.Event()
    verify = passwords.is_password

    def slowly(kept: str | None, password: str) -> bool:
        let.wait(60)
        return verify(kept, password)

    monkeypatch.setattr("api.services.accounts.sessions.is_password", slowly)
    attempt = {"name": "scheduler", "password": PASSWORD}
    context.hashing = BoundedPool("logging in", threads=2, places=4)
    read, others = asked_while_held(context, headers, lambda client: client.post("/v1/sessions", json=attempt), 16, let)
    assert read == 200
    assert (others.count(201), others.count(503)) == (6, 10)


def test_a_full_pool_says_when_to_come_back(context: AppContext, client: Any) -> None:
    context.hashing = BoundedPool("logging in", 1, -1)
    answer = client.post("/v1/sessions", json={"name": "scheduler", "password": PASSWORD})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_one_network_that_fills_a_pool_keeps_no_other_from_its_turn() -> None:
    let, done = threading.Event(), list[str]()

    async def run() -> list[str]:
        pool, refused = BoundedPool("hashing", 1, 4), list[str]()

        async def ask(name: str) -> None:
            try:
                await pool.run(lambda: let.wait(60) and done.append(name), name[0])
            except Unavailable:
                refused.append(name)

        async with anyio.create_task_group() as group:
            for name in ("a1", "a2", "a3", "a4", "a5", "a6", "b1", "c1"):
                group.start_soon(ask, name)
            await anyio.wait_all_tasks_blocked()
            let.set()
        pool.close()
        return refused

    assert anyio.run(run) == ["a6", "a5", "a4"]
    assert done == ["a1", "b1", "c1", "a2", "a3"] or done == ["a1", "a2", "b1", "c1", "a3"]
