"""The desk is small: what a browser loads of it, compressed."""

from __future__ import annotations

import gzip

import pytest

from api.web.pages import DIST

MAX_BYTES = 120_000


def test_scripts_and_styles_stay_under_the_bound() -> None:
    files = [file for file in DIST.glob("assets/*") if file.suffix in (".js", ".css")]
    if not files:
        pytest.skip("the desk's pages are not built")
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= MAX_BYTES
