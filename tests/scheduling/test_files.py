"""Files are read within bounds, and written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from scheduling.errors import InvalidFile
from scheduling.files import MAX_BYTES, read_json, write_bytes, write_text


def test_a_file_is_written_with_the_folders_that_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "december" / "week.json"
    write_text(path, "Zoë → ok\n")
    assert path.read_bytes() == "Zoë → ok\n".encode()
    assert [found.name for found in path.parent.iterdir()] == ["week.json"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    write_text(path, "a much longer text than the next")
    write_bytes(path, b"short")
    assert path.read_bytes() == b"short"


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "week.json"
    write_text(path, "old")
    monkeypatch.setattr(step, full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["week.json"]


def test_a_text_that_cannot_be_encoded_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half of a pair: \ud83d")
    assert path.read_text() == "old"


def test_a_write_that_is_interrupted_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "week.json"
    write_text(path, "old")
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["week.json"]


def test_a_link_stays_a_link_to_what_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "store" / "week.json", tmp_path / "latest.json"
    write_text(target, "old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_is_its_owners_alone_and_so_is_a_new_folder(tmp_path: Path, umask: int) -> None:
    path, known = tmp_path / "patients" / "pat.ics", tmp_path / "known.json"
    known.touch(mode=0o644)
    before = os.umask(umask)
    try:
        write_text(path, "text")
        write_text(known, "text")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, known, path.parent)] == [0o600, 0o600, 0o700]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(path, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_a_file_of_the_largest_size_is_read_and_a_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES)
    assert len(read_json(path)) == MAX_BYTES
    with path.open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(InvalidFile, match="over the limit of 9 MB"):
        read_json(path)


def test_what_cannot_be_read_is_an_invalid_file_that_says_why(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "absent", "no such file"),
        (tmp_path, "is a directory"),
        (Path("a" * 300), "file name too long"),
    ):
        with pytest.raises(InvalidFile, match=why) as caught:
            read_json(path)
        assert caught.value.source == str(path)
