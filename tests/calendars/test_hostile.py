"""Ten thousand files that nobody should send: none takes long, none takes much memory, none brings anything down."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from resource import RUSAGE_SELF, getrusage
from time import thread_time

import pytest
from icalendar import Calendar
from support.hostile import hostile

from calendars.busy import read_busy_times
from calendars.replies import read_file, read_mail
from scheduling.errors import InvalidFile

BEGIN, END = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)

MOST_SECONDS, MOST_BYTES = 1.0, 200_000_000


def busy(content: bytes) -> object:
    with suppress(InvalidFile):
        return read_busy_times(content, "America/New_York", BEGIN, END)
    return None


READERS: tuple[Callable[[bytes], object], ...] = (busy, read_mail, read_file)


@pytest.fixture(autouse=True)
def own_heap() -> Iterator[None]:
    """Keep what earlier tests left behind out of the collector's rounds: they would count as time of the readers."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def times(seed: int, count: int) -> dict[tuple[int, str, str], float]:
    """Read files and return the seconds of work that each took, by number, name and reader; all errors but refusals pass.

    The thread's own time counts, not the clock's: how long other programs keep the machine is no matter of the file.
    """
    took = {}
    for number, (name, content) in enumerate(hostile(seed, count)):
        for reader in READERS:
            begun = thread_time()
            reader(content)
            took[number, name, reader.__name__] = thread_time() - begun
    return took


def too_slow(took: dict[tuple[int, str, str], float]) -> dict[tuple[int, str, str], float]:
    """Return those that took too long."""
    return {which: seconds for which, seconds in took.items() if seconds > MOST_SECONDS}


def resident_peak() -> int:
    """Return the most memory that this process has had so far, in bytes (Linux counts it in KiB)."""
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def test_no_file_of_some_hundred_takes_a_second_or_raises_an_error() -> None:
    assert too_slow(times(seed=1, count=180)) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(10))
def test_no_file_of_ten_thousand_takes_a_second_or_much_memory_or_raises_an_error(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    before = resident_peak()
    took, grown = times(seed=100 + seed, count=1_000), resident_peak() - before
    record_property("longest", max(took.values()))
    record_property("grown", grown)
    assert (len(took), too_slow(took)) == (1_000 * len(READERS), {})
    assert grown <= MOST_BYTES


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
    assert sum(bool(read_file(content).answers) for content in files) > 5
