"""The words of the desk: one table for pages, the command line and problems, from what is meant to a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Words = Mapping[str, Mapping[str, str]]


@cache
def load_words(language: str = "en") -> Words:
    """Return the words of a language: by what they are of (``rules``, ``costs``), then by what they say."""
    words: Words = json.loads(files(__name__).joinpath(f"{language}.json").read_text(encoding="utf-8"))
    return words
