"""Messages as a person may read them on a screen: what they are about, but nobody's name, address or illness."""

from __future__ import annotations

import json
from collections.abc import Iterator

from api.hl7.charsets import decoded
from api.hl7.codec import InvalidMessage, Message, Segment, text_of

WHOLE = ("MSH", "MSA", "TQ1", "RGS", "AIS", "AIG", "AIL", "EVN")
"""Segments that say nothing of people."""

FIELDS = {
    "SCH": (1, 2, 6, 7, 8, 9, 10, 11, 25),
    "PID": (1, 3),
    "MRG": (1,),
    "RF1": (1, 2, 3, 6, 7, 9, 10),
    "ORC": (1, 2, 3, 7, 9),
    "OBR": (1, 2, 3, 4),
    "AIP": (1, 2, 4, 6, 9, 10, 12),
}
"""Fields of others that may be shown; all other fields and segments are left out."""


def lines_without_names(content: bytes) -> Iterator[str]:
    """Yield the segments of a message that say what it is about; a resource of FHIR as it is, since it names nobody."""
    if content.startswith(b"{"):
        yield from json.dumps(json.loads(content), indent=2).splitlines()
        return
    try:
        message = Message.parse(decoded(content)[0])
    except InvalidMessage as error:
        yield f"({error})"
        return
    for segment in message.segments:
        if segment.name in WHOLE:
            yield text_of(segment)
        elif segment.name in FIELDS:
            yield text_of(_shown(segment, FIELDS[segment.name]))
        else:
            yield f"{segment.name}|…"


def _shown(segment: Segment, numbers: tuple[int, ...]) -> Segment:
    fields = (text if number in (0, *numbers) else "…" if text else "" for number, text in enumerate(segment.fields))
    return Segment(tuple(fields), segment.delimiters)
