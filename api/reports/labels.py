"""Short names that fit into a quarter of an hour: codes of ids, shortened text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

VOWELS = set("aeiouy")
LONGEST_ACRONYM = 3
SEPARATORS = re.compile(r"[\W_]+")


def codes(identifiers: Iterable[str]) -> Mapping[str, str]:
    """Return a short code for each id, no two alike.

    A code is made of the initials of the id's words, and its numbers: ``epidural-steroid-injection`` is ``ESI``,
    ``wang-exam-10`` is ``WE10``. A leading acronym is kept whole: ``scs-trial`` is ``SCSt``. Where initials are taken by
    an earlier id, one word gives a second letter: after ``wang-exam-1``, ``west-exam-1`` is ``WeE1``.
    """
    asked = dict.fromkeys(identifiers)
    stems: dict[tuple[str, ...], str] = {}
    codes_by_id: dict[str, str] = {}
    taken = set(asked)
    for identifier in asked:
        parts = [part for part in SEPARATORS.split(identifier) if part]
        words = tuple(part for part in parts if not part.isdigit())
        if words not in stems:
            stems[words] = next((stem for stem in _stems(words) if stem not in stems.values()), "".join(words))
        code = stems[words] + "-".join(part for part in parts if part.isdigit())
        codes_by_id[identifier] = code if code and code not in taken else identifier
        taken.add(code)
    return codes_by_id


def _stems(words: tuple[str, ...]) -> Iterator[str]:
    if not words:
        yield ""
    elif _is_acronym(words[0]):
        yield words[0].upper() + "".join(word[0].lower() for word in words[1:])
    else:
        initials = [word[0].upper() for word in words]
        yield "".join(initials)
        for index, word in enumerate(words):
            for letter in word[1:].lower():
                yield "".join([*initials[: index + 1], letter, *initials[index + 1 :]])


def _is_acronym(word: str) -> bool:
    return len(word) <= LONGEST_ACRONYM and VOWELS.isdisjoint(word.lower())


def initials(name: str) -> str:
    """Return the initials of a name's words: ``Robin van Dyke`` is ``R v D``."""
    return " ".join(word[0] for word in name.split())


def elided(text: str, width: int) -> str:
    """Return a text of at most ``width`` characters: what is too long loses its middle, for ids differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :] if width > 1 else text[:width]
