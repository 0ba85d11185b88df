"""Character sets: which bytes a message is, by MSH-18.

References
----------
HL7 version 2.5.1, section 2.15.9.18 and table 0211 (alternate character sets).
"""

from __future__ import annotations

import re

CODECS = {
    "": "utf-8",
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    **{f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)},
}
"""Python's name of each set; many write UTF-8 as ``UTF-8`` or ``UNICODE``."""

_LINE_END = re.compile(rb"[\r\n]")


def decoded(content: bytes) -> tuple[str, str]:
    """Return a message as text, and the codec by which it was read: that of MSH-18, else UTF-8, else Latin-1.

    Latin-1 reads anything, so no byte is ever a reason to refuse a message.
    """
    body = content.removeprefix(b"\xef\xbb\xbf")
    for codec in dict.fromkeys((CODECS.get(_named(body), "utf-8"), "utf-8")):
        try:
            return body.decode(codec), codec
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1"), "latin-1"


def encoded(text: str, codec: str) -> bytes:
    """Return a text in a codec; what it has no sign for becomes a question mark."""
    return text.encode(codec, errors="replace")


def _named(body: bytes) -> str:
    """Return the first set that MSH-18 names."""
    header = _LINE_END.split(body.lstrip(), maxsplit=1)[0].decode("latin-1")
    fields = header.split(header[3]) if len(header) > 3 else []
    return re.split(r"[~^]", fields[17])[0].strip().upper() if len(fields) > 17 else ""
