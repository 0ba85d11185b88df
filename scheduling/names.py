"""Names and ids of people, written in many ways and meaning one: composed, with blanks folded, compared without case.

References
----------
Unicode Standard Annex #15, section 1.2 (NFC), and the Unicode Standard, section 3.13, definition D145 (caseless matching).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import combining, normalize

SPELLED = str.maketrans(
    {
        **{"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"},
        **dict.fromkeys("\u2018\u2019\u02bc\u02bb`", "'"),
    }
)
"""Letters and apostrophes without a decomposition, as they are typed where a keyboard does not have them."""


def compose_name(text: str) -> str:
    """Return a name composed, without blanks around it, and with one blank of the usual kind between its words."""
    return " ".join(normalize("NFC", text).split())


def compose_id(text: str) -> str:
    """Return an id composed, and without blanks around it; its case is kept."""
    return normalize("NFC", text.strip())


def fold(text: str) -> str:
    """Return what two ways to write a name or an id share, whatever their case."""
    return normalize("NFC", compose_name(text).casefold())


def simplify(text: str) -> str:
    """Return a name as somebody types it who does not know its accents: folded, without marks, in plain letters."""
    letters = normalize("NFKD", fold(text))
    return "".join(letter for letter in letters if not combining(letter)).translate(SPELLED)


def compose_people(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a scenario or an addition with its patients' names and ids composed, wherever it names them.

    What has not the shape that it should have stays as it is: validation names it.
    """
    composed = {**_with_patient(document, "patient")}
    if "patients" in composed:
        composed["patients"] = _each(composed["patients"], _compose_patient)
    if "visits" in composed:
        composed["visits"] = _each(composed["visits"], lambda visit: _with_patient(visit, "patient"))
    if "groups" in composed:
        composed["groups"] = _each(composed["groups"], _compose_group)
    return composed


def _each(elements: Any, compose: Any) -> Any:
    if not isinstance(elements, list):
        return elements
    return [compose(element) if isinstance(element, dict) else element for element in elements]


def _with_patient(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {**document, key: compose_id_if_text(document[key])} if key in document else dict(document)


def _compose_patient(patient: dict[str, Any]) -> dict[str, Any]:
    composed = _with_patient(patient, "id")
    return {**composed, "name": compose_name_if_text(composed["name"])} if "name" in composed else composed


def _compose_group(group: dict[str, Any]) -> dict[str, Any]:
    composed = dict(group)
    if "candidates" in composed:
        composed["candidates"] = _each(composed["candidates"], lambda candidate: _with_patient(candidate, "patient"))
    current = composed.get("current")
    if isinstance(current, dict) and isinstance(current.get("attendees"), list):
        composed["current"] = {**current, "attendees": [compose_id_if_text(patient) for patient in current["attendees"]]}
    return composed


def compose_name_if_text(value: Any) -> Any:
    """Return a name composed; what is no text stays as it is, for validation to refuse."""
    return compose_name(value) if isinstance(value, str) else value


def compose_id_if_text(value: Any) -> Any:
    """Return an id composed; what is no text stays as it is, for validation to refuse."""
    return compose_id(value) if isinstance(value, str) else value
