"""What was done to a visit: who moved it, when and why, as the audit has it."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from api.services.care.requests import get_asked_visit
from api.store import audit
from api.store.queries import accounts, periods
from api.web.words import load_words
from api.web.words.sentences import describe_action

MOST = 100
"""Entries that are told, the newest."""


def list_history(session: Session, visit: str) -> list[dict[str, Any]]:
    """Return what was done to a visit, the newest first; who only read it is not told. Raises ``UnknownId``."""
    period = get_asked_visit(session, visit).period_id
    scenario, known = periods.load_scenario(session, period), load_words()["actions"]
    rows = [row for row in audit.list_latest(session, "visit", visit, MOST) if row.action in known and row.outcome == "allowed"]
    names = accounts.get_names(session, {row.actor for row in rows})
    return [
        {
            "at": row.at,
            "by": row.actor,
            "name": names.get(row.actor, row.actor),
            "action": row.action,
            "words": describe_action(row.action, names.get(row.actor, row.role), scenario, row.detail),
            "detail": row.detail,
        }
        for row in rows
    ]
