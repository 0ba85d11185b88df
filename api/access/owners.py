"""Whether an object is one's own, by its kind. A kind that is not here is nobody's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.store.queries import accounts, emergencies, feeds, outside, owners

Owns = Callable[[Session, Actor, str], bool]


def is_own(session: Session, actor: Actor, kind: str, identifier: str) -> bool:
    """Say whether an object is the actor's own. One that does not exist is not, so that ids cannot be probed."""
    return kind in OWNERS and OWNERS[kind](session, actor, identifier)


def is_opened_in_need(session: Session, actor: Actor, kind: str, identifier: str, now: datetime) -> bool:
    """Return whether a clinician may read an object that is not their own, because they have opened its patient in need."""
    return actor.role is AccessRole.CLINICIAN and emergencies.is_opened(session, actor.id, kind, identifier, now)


def _visit(session: Session, actor: Actor, visit: str) -> bool:
    if actor.role is AccessRole.PATIENT:
        return visit == actor.visit
    return actor.provider is not None and owners.has_visit(session, actor.provider, visit)


def _patient(session: Session, actor: Actor, patient: str) -> bool:
    return (
        actor.role is AccessRole.CLINICIAN
        and actor.provider is not None
        and owners.has_patient(session, actor.provider, patient)
    )


def _provider(session: Session, actor: Actor, provider: str) -> bool:
    return actor.role is AccessRole.CLINICIAN and provider == actor.provider


def _episode(session: Session, actor: Actor, episode: str) -> bool:
    if actor.role is not AccessRole.CLINICIAN or actor.provider is None:
        return False
    return owners.has_episode(session, actor.provider, episode)


def _feed(session: Session, actor: Actor, feed: str) -> bool:
    return feeds.has_made(session, actor.id, feed)


def _link(session: Session, actor: Actor, link: str) -> bool:
    return accounts.has_made_link(session, actor.id, link)


def _outside(session: Session, actor: Actor, calendar: str) -> bool:
    return actor.provider is not None and outside.is_calendar_of(session, actor.provider, calendar)


OWNERS: Mapping[str, Owns] = {
    "visit": _visit,
    "patient": _patient,
    "provider": _provider,
    "episode": _episode,
    "feed": _feed,
    "link": _link,
    "outside": _outside,
}


def get_kind(document: Any, kind: str) -> str:
    """Return a kind, which the body says itself when it stands in braces; one that the body does not say is nobody's own."""
    return "".join(find_ids(document, kind[1:-1])) if kind.startswith("{") else kind


def find_ids(document: Any, place: str) -> list[str]:
    """Return the ids at a place of a body; ``links[].before`` goes through a list. What is not text is left to validation."""
    found = [document]
    for step in place.split("."):
        name = step.removesuffix("[]")
        found = [one[name] for one in found if isinstance(one, dict) and name in one]
        if step.endswith("[]"):
            found = [each for one in found if isinstance(one, list) for each in one]
    return [one for one in found if isinstance(one, str)]
