"""Bytes are read by MSH-18, and no byte is a reason to refuse a message."""

from __future__ import annotations

import pytest

from api.hl7.charsets import decoded, encoded


def message(name: str, charset: str = "", codec: str = "utf-8") -> bytes:
    return f"MSH|^~\\&|A||||||SIU^S12|1|P|2.5.1||||||{charset}\rPID|||||{name}\r".encode(codec)


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        ("", "utf-8", "Zoë 日本"),
        ("UNICODE UTF-8", "utf-8", "Zoë 日本"),
        ("UTF-8", "utf-8", "日本"),
        ("8859/1", "iso8859-1", "Zoë"),
        ("8859/15~UNICODE UTF-8", "iso8859-15", "Œuvre €"),
        ("8859/5", "iso8859-5", "Иван"),
        ("GB 18030-2000", "gb18030", "日本"),
        ("ASCII", "ascii", "Jane"),
    ],
)
def test_the_header_names_the_set(charset: str, codec: str, name: str) -> None:
    text, read_by = decoded(message(name, charset, codec))
    assert name in text
    assert read_by == codec


@pytest.mark.parametrize("charset", ["", "UNICODE UTF-8", "ASCII", "no such set"])
def test_what_is_not_as_declared_is_read_as_latin_1(charset: str) -> None:
    assert "Zoë" in decoded(message("Zoë", charset, "latin-1"))[0]


def test_utf_8_under_a_narrower_name_is_read() -> None:
    assert "日本" in decoded(message("日本", "ASCII"))[0]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decoded(b"\xef\xbb\xbf" + message("Jane"))[0].startswith("MSH")


@pytest.mark.parametrize("content", [b"", b"MSH", b"\xff", b"\x00" * 9, b"MSH|" * 40])
def test_any_bytes_are_text(content: bytes) -> None:
    text, _ = decoded(content)
    assert isinstance(text, str)


def test_a_sign_that_a_set_lacks_becomes_a_question_mark() -> None:
    assert encoded("Zoë 日本", "iso8859-1") == "Zoë ??".encode("latin-1")
