"""MLLP frames: ``VT message FS CR``, cut out of a stream however it arrives.

Bytes before a frame are skipped. FS ends a frame when CR, LF or another frame follows, or when nothing does; else it is data.

References
----------
HL7 "Transport Specification: MLLP", release 1, section 2 (the block format).
"""

from __future__ import annotations

VT, FS, CR = b"\x0b", b"\x1c", b"\r"

MAX_MESSAGE_BYTES = 1024**2

HEAD_BYTES = 4_096
"""How much of a message that is too long is kept, so that its answer can name it."""


class MessageTooLong(Exception):
    """A frame that goes on beyond the bound; ``head`` is how it begins."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        super().__init__(f"a message is longer than {MAX_MESSAGE_BYTES:,} bytes")


def frame(content: bytes) -> bytes:
    """Return a message in its frame."""
    return VT + content + FS + CR


class FrameReader:
    """Cuts messages out of what one connection brings; keeps at most one message and one read."""

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._is_inside = False
        self._searched = 0
        self.has_skipped = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a message has arrived that is not given out."""
        return not self._is_inside and not self.has_skipped

    @property
    def may_have_ended(self) -> bool:
        """Whether a frame ends here unless more of it follows: its last byte is FS."""
        return self._is_inside and self._buffer.endswith(FS)

    def feed(self, content: bytes) -> list[bytes]:
        """Take in what arrived and return the messages that it completes.

        Raises
        ------
        MessageTooLong
            When a message is longer than allowed; the connection cannot be read any further.
        """
        self._buffer += content
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        if self._is_inside:
            self._check_length(len(self._buffer) - len(FS))
        return messages

    def end(self) -> bytes:
        """Return the message whose last byte was FS, of which nothing more follows."""
        message = bytes(self._buffer[:-1])
        self._reset(len(self._buffer))
        return message

    def _check_length(self, length: int) -> None:
        if length > self._max_bytes:
            raise MessageTooLong(bytes(self._buffer[:HEAD_BYTES]))

    def _next(self) -> bytes | None:
        if not self._is_inside and not self._begin():
            return None
        while (end := self._buffer.find(FS, self._searched)) >= 0:
            follows = self._buffer[end + 1 : end + 2]
            if not follows:
                self._searched = end
                return None
            if follows in (CR, b"\n", VT):
                self._check_length(end)
                message = bytes(self._buffer[:end])
                self._reset(end + (1 if follows == VT else 2))
                return message
            self._searched = end + 1
        self._searched = len(self._buffer)
        return None

    def _begin(self) -> bool:
        """Drop all before the start of a frame; return whether there is one."""
        start = self._buffer.find(VT)
        skipped = self._buffer[: start if start >= 0 else None]
        self.has_skipped |= bool(skipped.strip(b"\r\n"))
        if start < 0:
            self._buffer.clear()
            return False
        del self._buffer[: start + 1]
        self._is_inside, self._searched, self.has_skipped = True, 0, False
        return True

    def _reset(self, used: int) -> None:
        del self._buffer[:used]
        self._is_inside, self._searched = False, 0
