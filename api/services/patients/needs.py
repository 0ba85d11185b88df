"""What one visit needs beside what its service says, and what the desk keeps of it for itself.

Length and equipment are the domain's and go into plans. Note and tags are the desk's: no plan, calendar or patient sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session

from api.store.queries import episodes, requests
from api.store.queries.episodes import EpisodeNeeds
from scheduling import catalogue
from scheduling.care.episodes import make_visit_id
from scheduling.fields import Id, Model, VisitMinutes
from scheduling.pathways import Occurrence
from scheduling.requests import Visit
from scheduling.scenario import Scenario

MAX_NOTE, MAX_TAGS, MAX_EQUIPMENT = 2_000, 20, 20

Note = Annotated[str, Field(max_length=MAX_NOTE)]
Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S+$")]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS, strict=False)]
Pools = Annotated[tuple[Annotated[Id, Field(max_length=100)], ...], Field(max_length=MAX_EQUIPMENT, strict=False)]


class VisitNeeds(Model):
    """What the visits of an episode need; ``minutes`` is the length of its first one, the rest is of all of them."""

    minutes: VisitMinutes | None = None
    equipment: Pools = ()
    note: Note | None = None
    tags: Tags = ()

    def dump(self) -> dict[str, Any]:
        """Return them as they are kept: without what is not asked for."""
        return self.model_dump(mode="json", exclude_defaults=True)


NO_NEEDS = VisitNeeds()


def change_desk_fields(session: Session, visit: str, fields: Mapping[str, Any]) -> None:
    """Change a visit's note and tags, of which only those given."""
    row = requests.get_visit(session, visit)
    if "note" in fields:
        row.note = fields["note"] or None
    if "tags" in fields:
        row.tags = sorted(set(fields["tags"] or ()))
    row.version += 1
    session.flush()


def with_needs(session: Session, scenario: Scenario, visits: Iterable[Visit], episode_of: Mapping[str, str]) -> list[Visit]:
    """Return visits as they are asked for: what the desk gave a known one stays; a new one has the needs of its episode.

    Parameters
    ----------
    episode_of
        The episodes of visits, by visit.
    """
    visits = list(visits)
    known = requests.load_needs(session, [visit.id for visit in visits])
    needs = episodes.load_needs(session, set(episode_of.values()))
    wanted: list[Visit] = []
    for visit in visits:
        of, stood = needs.get(episode_of.get(visit.id, "")), known.get(visit.id)
        if stood is not None:
            wanted.append(keep_needs(visit, stood))
        else:
            wanted.append(visit if of is None else add_needs(scenario, visit, of))
    return wanted


def put_desk_fields(session: Session, new: Iterable[str], episode_of: Mapping[str, str]) -> None:
    """Give visits that were not asked for before the note and tags of their episodes."""
    needs = episodes.load_needs(session, set(episode_of.values()))
    for visit in new:
        if (of := needs.get(episode_of.get(visit, ""))) is not None:
            row = requests.get_visit(session, visit)
            row.note, row.tags = of.needs.get("note"), list(of.needs.get("tags", ()))
    session.flush()


def keep_needs(visit: Visit, known: Visit) -> Visit:
    """Return a visit that is asked for again with the length and equipment that it has."""
    return visit.changed(minutes=known.minutes, equipment=known.equipment)


def add_needs(scenario: Scenario, visit: Visit, needs: EpisodeNeeds) -> Visit:
    """Return a visit with what its episode needs: the length is that of the first, and what its service has comes once."""
    first = Occurrence(catalogue.get_pathway(needs.pathway).steps[0].id, 1)
    minutes = needs.needs.get("minutes") if visit.id.startswith(make_visit_id(needs.episode, first)) else None
    own = scenario.services[visit.service].equipment
    more = tuple(pool for pool in needs.needs.get("equipment", ()) if pool not in own)
    return visit.changed(minutes=minutes or visit.minutes, equipment=(*visit.equipment, *more))
