"""The page says what the code does: its events, tasks and versions are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import api.hl7
from api.hl7 import inbox, incoming, outbox, sender
from api.hl7.acks import VERSIONS
from api.hl7.readings import TRIGGERS
from api.hl7.siu import REASONS

PAGE = (Path(api.hl7.__file__).parent / "README.md").read_text(encoding="utf-8")
TASKS = (
    inbox.UNREADABLE,
    incoming.NEEDS_PERSON,
    incoming.REFERRAL_WAITS,
    incoming.RULE_OVERRIDDEN,
    incoming.PATIENTS_MERGED,
    outbox.REFUSED,
    sender.UNREACHABLE,
)


def test_the_tasks_are_those_of_the_code() -> None:
    assert set(re.findall(r"`(hl7-[a-z-]+)`", PAGE)) == set(TASKS)


def test_every_event_and_version_is_named() -> None:
    out, taken_in = PAGE.split("## What comes in")
    assert {trigger.value for trigger in REASONS} <= set(re.findall(r"\bS\d\d\b", out))
    for code, triggers in TRIGGERS.items():
        assert code in PAGE
        assert {"REF": {"I12"}}.get(code, set(triggers)) <= set(re.findall(r"\b[A-Z]\d\d\b", taken_in + out)), code
    assert all(version in out for version in VERSIONS)
