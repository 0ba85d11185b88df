"""Garbage is not collected while many objects are made, and is again afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from solver.gc_pause import GarbageCollectionPause


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_nothing_is_collected_until_the_last_has_left() -> None:
    pause = GarbageCollectionPause()
    with pause:
        with pause:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_it_too() -> None:
    with pytest.raises(ValueError, match="made-up"), GarbageCollectionPause():
        raise ValueError("made-up")
    assert gc.isenabled()


def test_whoever_never_collects_goes_on_like_that() -> None:
    gc.disable()
    with GarbageCollectionPause():
        pass
    assert not gc.isenabled()
