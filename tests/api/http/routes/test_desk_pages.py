"""The desk's pages: what browsers may keep and load, and what is shown where there is nothing to show yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.service import SECRET

from api.context import create_context
from api.http.app import create_app
from api.http.routes.desk import PAGE_POLICY
from api.runtime.settings import Settings
from api.web import pages
from api.web.api_page import describe_type


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a built application in the place of the project's own."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Clinicweave</title>")
    (folder / "assets" / "index-Ab1.js").write_text("export {};")
    (folder / "secret.txt").write_text("not an asset")
    monkeypatch.setattr(pages, "DIST", folder)
    return folder


@pytest.mark.parametrize("address", ["/", "/weeks/week-7", "/weeks/week-7/plan", "/visits/visit-1/why", "/today"])
def test_every_address_of_the_desk_is_the_application(client: TestClient, dist: Path, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.text) == (200, (dist / "index.html").read_text())
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["cache-control"] == "no-store"


def test_an_asset_is_kept_for_ever_and_loads_nothing_itself(client: TestClient, dist: Path) -> None:
    answer = client.get("/assets/index-Ab1.js")
    assert (answer.status_code, answer.text) == (200, "export {};")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "'self'" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["..%2Fsecret.txt", "%2e%2e%2fsecret.txt", "none.js", "index-Ab1.js%2F.."])
def test_nothing_else_is_an_asset(client: TestClient, dist: Path, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_without_built_pages_the_first_one_says_why(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "DIST", tmp_path / "none")
    answer = client.get("/")
    assert answer.status_code == 404 and "CLINICWEAVE_WEB=skip" in answer.text
    assert client.get("/assets/index-Ab1.js").status_code == 404


def test_an_empty_store_says_how_to_begin(sqlite_url: str, dist: Path) -> None:
    context = create_context(Settings(database_url=sqlite_url, secret=SECRET))
    with TestClient(create_app(context)) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert all(command in answer.text for command in ("clinicweave roster", "clinicweave demo"))
    assert "script" not in answer.text


def test_the_interface_is_described_on_a_page_of_ours(client: TestClient) -> None:
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    described = client.get("/openapi.json").json()
    assert all(f"<code>{path}</code>" in answer.text for path in described["paths"])
    assert all(f'id="{name}"' in answer.text for name in described["components"]["schemas"])
    assert "<script" not in answer.text and "http://" not in answer.text and 'src="' not in answer.text


def test_links_of_the_page_lead_to_its_own_parts(client: TestClient) -> None:
    page = client.get("/docs").text
    known = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= known


def test_what_a_schema_allows_is_told_in_words() -> None:
    either = {"anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Change"}}, {"type": "null"}]}
    assert describe_type(either) == 'list of <a href="#Change">Change</a> or null'
    assert describe_type({"enum": ["<a>", "b"]}) == "<code>&quot;&lt;a&gt;&quot;</code> | <code>&quot;b&quot;</code>"


@pytest.mark.parametrize("address", ["/", "/docs", "/me", "/p/cwl_none"])
def test_every_page_brings_its_icon(client: TestClient, address: str) -> None:
    assert '<link rel="icon" href="' in client.get(address).text
