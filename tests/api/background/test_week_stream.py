"""Who watches a week hears of each change, whichever process made it; so does who knows an older version."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk

from api.background.week_stream import stream_changes

BOARD, CHANGES = "/v1/scenarios/test-week/board", "/v1/scenarios/test-week/changes"
MOVE = {"kind": "place", "visit": "v-1", "location": "wang", "room": "wang-exam-1", "team": ["ana"]}


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a published week with two visits."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    plan = factories.plan(asked, booking("v-1", "WE 10:00"), booking("v-2", "WE 14:00"))
    with front_desk(sqlite_url, asked, plan) as desk:
        yield desk


def heard(desk: FrontDesk, *acts: Any, after: str | None = None) -> list[dict[str, Any]]:
    """Return the versions that a reader is told, who sees something done after each of them; then the process ends."""
    stopping, doing = Event(), list(acts)

    async def listen() -> list[str]:
        told = []
        async for event in stream_changes(desk.context.database, "test-week", after, stopping, 0.0):
            told.append(event)
            if doing:
                await asyncio.to_thread(doing.pop(0))
            else:
                stopping.set()
        return told

    *versions, last = asyncio.run(listen())
    assert last.startswith("event: end\n")
    return [json.loads(event.partition("data: ")[2]) for event in versions]


def tag(desk: FrontDesk) -> str:
    return str(desk.ask("GET", BOARD).headers["etag"])


def test_each_change_is_told_with_who_and_what(desk: FrontDesk) -> None:
    first, second, third = heard(desk, lambda: desk.move("v-1", "TH 09:00"), lambda: desk.cancel("v-2"))
    assert (first["visits"], first["by"]) == ([], [])
    assert (second["visits"], [account["name"] for account in second["by"]]) == (["v-1"], ["scheduler"])
    assert third["visits"] == ["v-2"] and third["etag"] == tag(desk) and third["complete"]
    assert first["version"] < second["version"] < third["version"]


def test_who_comes_back_hears_all_that_was_changed_meanwhile(desk: FrontDesk) -> None:
    known = tag(desk)
    desk.move("v-1", "TH 09:00")
    desk.cancel("v-2")
    (told,) = heard(desk, after=known)
    assert (told["visits"], told["complete"]) == (["v-1", "v-2"], True)
    (told,) = heard(desk, after=tag(desk))
    assert (told["visits"], told["complete"]) == ([], True)


@pytest.mark.parametrize("known", ['"1.another"', "nonsense"])
def test_who_knows_another_past_has_to_read_the_board_anew(desk: FrontDesk, known: str) -> None:
    (told,) = heard(desk, after=known)
    assert not told["complete"] and told["visits"] == []


def test_a_change_of_the_world_and_a_pin_are_told(desk: FrontDesk) -> None:
    away = {"provider": "dee", "from": "2026-12-03", "to": "2026-12-03"}
    _, pinned, absent = heard(desk, lambda: desk.change("PUT", "pin", "v-1"), lambda: desk.ask("POST", "/v1/absences", away))
    assert pinned["visits"] == ["v-1"]
    assert absent["visits"] == [] and [account["name"] for account in absent["by"]] == ["scheduler"]


def test_a_refusal_of_an_older_version_names_who_has_changed_what(desk: FrontDesk) -> None:
    older = tag(desk)
    desk.cancel("v-2")
    body = {"changes": [{**MOVE, "start": factories.at("TH 09:00")}]}
    answer = desk.ask("POST", CHANGES, body, **{"If-Match": older})
    assert answer.status_code == 412
    assert [(error["path"], error["detail"]) for error in answer.json()["errors"]] == [("visits/v-2", "scheduler cancelled it")]
