"""Ten thousand files that nobody should send: none takes long, none takes much memory, none brings anything down."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import thread_time

import pytest
from hostile import hostile
from icalendar import Calendar

from calendars.busy import busy_times
from calendars.replies import received_file, received_mail
from scheduling.errors import InvalidFile

BEGIN, END = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)

MOST_SECONDS, MOST_BYTES = 1.0, 200_000_000


def busy(content: bytes) -> object:
    with suppress(InvalidFile):
        return busy_times(content, "America/New_York", BEGIN, END)
    return None


READERS: tuple[Callable[[bytes], object], ...] = (busy, received_mail, received_file)


@pytest.fixture(autouse=True)
def own_heap() -> Iterator[None]:
    """Keep what earlier tests left behind out of the collector's rounds: they would count as time of the readers."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def slow_ones(seed: int, count: int) -> list[tuple[str, str, float]]:
    """Read files and return those that took too long, with their reader and seconds; any error but a refusal passes through."""
    slow = []
    for name, content in hostile(seed, count):
        for reader in READERS:
            begun = thread_time()
            reader(content)
            took = thread_time() - begun
            if took > MOST_SECONDS:
                slow.append((name, reader.__name__, took))
    return slow


def test_no_file_of_some_hundred_takes_a_second_or_raises_an_error() -> None:
    assert slow_ones(seed=1, count=180) == []


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(10))
def test_no_file_of_ten_thousand_takes_a_second_or_raises_an_error(seed: int) -> None:
    assert slow_ones(seed=100 + seed, count=1_000) == []


@pytest.mark.parametrize("seed", [2])
def test_no_file_takes_much_memory(seed: int) -> None:
    peaks = {}
    tracemalloc.start()
    try:
        for name, content in hostile(seed, 36):
            for reader in READERS:
                tracemalloc.reset_peak()
                reader(content)
                peaks[name, reader.__name__] = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {which: peak for which, peak in peaks.items() if peak > MOST_BYTES} == {}


def test_control_the_same_files_are_no_good_for_a_reader_that_trusts_them() -> None:
    raised = 0
    for name, content in hostile(1, 120):
        if len(content) < 20_000 and not name.startswith("mail"):
            try:
                Calendar.from_ical(content)
            except Exception:
                raised += 1
    assert raised > 8


def test_control_some_of_the_files_are_read_and_some_are_answers() -> None:
    files = [content for _, content in hostile(1, 60)]
    assert sum(busy(content) is not None for content in files) > 10
    assert sum(bool(received_file(content).answers) for content in files) > 5
