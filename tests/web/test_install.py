"""A checkout is installed where there is no Node: the pages are built, or it is said why not; the service shows them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.web import build_hook
from api.web.build_hook import PAGES, SOURCES, STAMP, PagesBuildHook, digest_of

ROOT = Path(__file__).parents[2]
PARTS = ("api", "calendars", "scheduling", "solver", "pyproject.toml", "README.md", "LICENSE")
MADE = shutil.ignore_patterns("node_modules", "dist", "__pycache__")
ASK = """
from fastapi.testclient import TestClient
from api.context import create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.store.database import Database
from api.store.migrations import migrate

url = "sqlite:///store.db"
migrate(Database(url))
client = TestClient(create_app(create_context(Settings(database_url=url, secret="a signing key of the tests, long enough"))))
for path in ("/", "/weeks/week-7"):
    answer = client.get(path)
    print(answer.status_code, answer.headers["content-type"].partition(";")[0], "/assets/" in answer.text)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the tree without what is made in it."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / "checkout" / part, ignore=MADE)
        else:
            shutil.copy(source, tmp_path / "checkout" / part)
    return tmp_path / "checkout"


def hook(checkout: Path) -> PagesBuildHook:
    return PagesBuildHook(str(checkout), {}, None, None, str(checkout / "dist"), "wheel")  # type: ignore[arg-type]


def initialize(checkout: Path) -> dict[str, Any]:
    data: dict[str, Any] = {"artifacts": []}
    hook(checkout).initialize("standard", data)
    return data


@pytest.mark.heavy
def test_an_installation_without_node_builds_the_page_and_serves_it(checkout: Path, tmp_path: Path) -> None:
    """The libraries are those of this environment; Node and npm's packages come anew."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PATH": str(python.parent)}
    assert shutil.which("node", path=bare["PATH"]) is None
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "-e", str(checkout)]
    installed = subprocess.run(install, env=bare, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    assert (checkout / PAGES / "index.html").is_file()
    ours = os.pathsep.join([str(checkout), *(path for path in sys.path if "site-packages" in path)])
    asked = subprocess.run(
        [python, "-c", ASK], cwd=tmp_path, env=bare | {"PYTHONPATH": ours}, check=True, capture_output=True, text=True
    )
    first, board = asked.stdout.splitlines()
    assert (first, board) == ("200 text/html False", "200 text/html True"), "a store without a week says how to begin"


def test_without_a_registry_it_is_said_how_to_go_on(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(sources: Path, pages: Path, keep_tools: bool) -> None:
        raise subprocess.CalledProcessError(1, "npm", stderr="npm error network request to the registry failed")

    monkeypatch.setattr(build_hook, "build_pages", fail)
    with pytest.raises(SystemExit, match="registry failed") as ended:
        initialize(checkout)
    assert "CLINICWEAVE_WEB=skip" in str(ended.value)
    monkeypatch.setenv("CLINICWEAVE_WEB", "skip")
    assert initialize(checkout) == {"artifacts": [f"/{PAGES}/**"]}


def test_pages_that_are_built_of_these_sources_are_taken_as_they_are(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(sources: Path, pages: Path, keep_tools: bool) -> None:
        built.append(pages)
        pages.mkdir(exist_ok=True)

    monkeypatch.setattr(build_hook, "build_pages", build)
    initialize(checkout)
    initialize(checkout)
    assert built == [checkout / PAGES]
    assert (checkout / PAGES / STAMP).read_text() == digest_of(checkout / SOURCES)
    (checkout / SOURCES / "index.html").write_text("changed")
    initialize(checkout)
    assert len(built) == 2


def test_what_holds_the_pages_without_their_sources_builds_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / SOURCES)
    monkeypatch.setattr(build_hook, "build_pages", None)
    assert initialize(checkout)["artifacts"] == [f"/{PAGES}/**"]
