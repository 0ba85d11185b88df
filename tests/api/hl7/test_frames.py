"""Messages come out of a stream as they were framed, however the stream was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hl7.frames import FrameReader, MessageTooLong, frame

MESSAGE = b"MSH|^~\\&|A\rPID|1\r"


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (frame(MESSAGE), [MESSAGE]),
        (frame(MESSAGE) + frame(b"MSH|2"), [MESSAGE, b"MSH|2"]),
        (b"garbage\x1c\r" + frame(MESSAGE), [MESSAGE]),
        (b"\x0b" + MESSAGE + b"\x1c" + frame(b"MSH|2"), [MESSAGE, b"MSH|2"]),
        (b"\x0b" + MESSAGE + b"\x1c\n", [MESSAGE]),
        (frame(b"MSH|a\x1cb"), [b"MSH|a\x1cb"]),
        (frame(b""), [b""]),
        (MESSAGE + b"\x1c\r", []),
        (b"GET / HTTP/1.1\r\n\r\n", []),
        (b"\r\n" + frame(MESSAGE) + b"\r\n\r\n", [MESSAGE]),
    ],
)
def test_messages_are_cut_out_whole_or_byte_by_byte(stream: bytes, messages: list[bytes]) -> None:
    assert FrameReader().feed(stream) == messages
    bytewise = FrameReader()
    assert [message for byte in stream for message in bytewise.feed(bytes([byte]))] == messages


def test_a_frame_may_end_in_fs_alone_when_nothing_follows() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x0bMSH|1\x1c") == []
    assert reader.may_have_ended
    assert reader.end() == b"MSH|1"
    assert reader.is_idle and not reader.may_have_ended
    assert reader.feed(frame(MESSAGE)) == [MESSAGE]


def test_what_lies_outside_frames_is_noticed_and_not_kept() -> None:
    reader = FrameReader()
    reader.feed(b"\r\n")
    assert reader.is_idle
    for _ in range(100):
        reader.feed(b"x" * 1_000)
    assert not reader.is_idle and reader.has_skipped
    assert reader.feed(frame(MESSAGE)) == [MESSAGE]
    assert reader.is_idle


def test_a_message_may_be_as_long_as_the_bound_and_no_longer() -> None:
    assert FrameReader(max_bytes=10).feed(frame(b"MSH|567890")) == [b"MSH|567890"]
    for stream in (b"\x0bMSH|5678901x", frame(b"MSH|5678901")):
        with pytest.raises(MessageTooLong) as refused:
            FrameReader(max_bytes=10).feed(stream)
        assert refused.value.head.startswith(b"MSH|5678901")


CONTENT = st.binary(max_size=40).filter(lambda content: b"\x1c" not in content and b"\x0b" not in content)


@given(st.lists(CONTENT, max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_the_cuts_of_the_stream_do_not_matter(messages: list[bytes], sizes: list[int]) -> None:
    stream, reader, read = b"".join(map(frame, messages)), FrameReader(), []
    position, turn = 0, 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        read += reader.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert read == messages
    assert reader.is_idle
