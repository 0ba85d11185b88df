"""Who knows the present version of something is told so, before anything of it is derived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk

from api.store.backup import backup, restore
from api.store.queries import periods

WEEK = "/v1/scenarios/test-week"
DOCUMENTS = [WEEK, f"{WEEK}/plan", f"{WEEK}/kpis"]


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    with front_desk(store_url, asked, factories.plan(asked, booking("v-1", "TU 09:00"))) as desk:
        yield desk


@pytest.mark.parametrize("path", [*DOCUMENTS, "/v1/visits/v-1/booking", "/v1/patients/pat"])
def test_who_knows_the_version_is_told_so_until_it_changes(desk: FrontDesk, path: str) -> None:
    first = desk.ask("GET", path)
    known = {"If-None-Match": first.headers["etag"]}
    again = desk.ask("GET", path, **known)
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    if path == "/v1/patients/pat":
        desk.ask("PATCH", path, {"prefers": "morning"}, **{"If-Match": first.headers["etag"]})
    else:
        assert desk.move("v-1", "WE 09:00").status_code == 200
    changed = desk.ask("GET", path, **known)
    assert changed.status_code == 200 and changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_nothing_is_derived_for_who_knows_it(desk: FrontDesk, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = desk.ask("GET", path).headers["etag"]

    def derive(*_: object) -> Any:
        raise AssertionError

    monkeypatch.setattr(periods, "load_scenario", derive)
    assert desk.ask("GET", path, **{"If-None-Match": tag}).status_code == 304
    assert desk.ask("GET", path).status_code == 500


@pytest.mark.parametrize(
    ("given", "status"),
    [('"1"', 200), ('W/"{}"', 304), ('"1", "{}"', 304), ("*", 304), ("{}", 200), ("", 200), ('"', 200)],
)
def test_versions_that_are_known_are_read_as_the_rfc_has_them(desk: FrontDesk, given: str, status: int) -> None:
    assert desk.book("v-2", "TU 10:00").status_code == 201
    tag = desk.ask("GET", WEEK).headers["etag"].strip('"')
    assert desk.ask("GET", WEEK, **{"If-None-Match": given.format(tag)}).status_code == status


def test_that_something_was_read_is_written_down_even_if_it_was_known(desk: FrontDesk) -> None:
    tag = desk.ask("GET", WEEK).headers["etag"]
    desk.ask("GET", WEEK, **{"If-None-Match": tag})
    assert desk.actions("test-week").count("scenario.read") == 2


def changed_after(desk: FrontDesk, start: str) -> dict[str, Any]:
    """Book a visit and read everything; return the answers by path."""
    assert desk.book("v-2", start).status_code == 201
    return {path: desk.ask("GET", path) for path in (*DOCUMENTS, "/v1/visits/v-2/booking")}


def test_after_a_restore_nothing_of_the_lost_past_is_told_or_changed(desk: FrontDesk, tmp_path: Path) -> None:
    store = desk.context.database
    backup(store, tmp_path / "copy")
    lost = changed_after(desk, "TU 10:00")
    restore(store, tmp_path / "copy")
    present = changed_after(desk, "WE 11:00")
    for path, answer in present.items():
        assert answer.status_code == 200
        assert desk.ask("GET", path, **{"If-None-Match": lost[path].headers["etag"]}).status_code == 200
        assert desk.ask("GET", path, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
    week = next(one for one in present[WEEK].json()["visits"] if one["id"] == "v-2")
    (stands,) = [one for one in present[f"{WEEK}/plan"].json()["visits"] if one["visit"] == "v-2"]
    assert week["current"]["start"] == stands["start"] == "2026-12-02T11:00"
    path = "/v1/visits/v-2/booking"
    assert desk.ask("DELETE", path, **{"If-Match": lost[path].headers["etag"]}).status_code == 412
    assert desk.ask("DELETE", path, **{"If-Match": present[path].headers["etag"]}).status_code == 200


def test_after_a_restore_a_feed_shows_what_the_store_has(desk: FrontDesk, tmp_path: Path) -> None:
    store = desk.context.database
    url = desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).json()["url"]
    path = url.removeprefix(desk.context.settings.public_url)
    backup(store, tmp_path / "copy")
    moments = {}
    for start in ("TU 10:00", "WE 11:00"):
        assert desk.book("v-2", start).status_code == 201
        moments[start] = desk.client.get(path).text
        restore(store, tmp_path / "copy")
    assert "20261201T100000" in moments["TU 10:00"]
    assert "20261202T110000" in moments["WE 11:00"] and "20261201T100000" not in moments["WE 11:00"]
