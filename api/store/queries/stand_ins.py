"""A patient who was deleted, in what is kept as it was: plans, the scenarios that they answer, and the like.

What others live by stays whole, and its cost what it was: the patient, their visits and episodes have ids there that nobody can
lead back, and no name. Which columns these are is read from the tables, so that one that comes later is not forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, ColumnElement, String, Table, Text, cast, or_, select, update
from sqlmodel import Session

from api.store.columns import new_id
from api.store.rows import match_key
from api.store.tables import AuditRow, MirrorRow, ScenarioRow, metadata

NOT_WITHIN_WORDS = (r"(?<![\w-])(?<!\w[.:])", r"(?![\w-]|[.:]\w)")
"""Around an id, so that it is no part of another one."""


@dataclass(frozen=True)
class StandIns:
    """Ids that take the place of those of a deleted patient, of their visits and of their episodes.

    Attributes
    ----------
    by_id : mapping of str to str
        The stand-ins by the ids.
    """

    by_id: Mapping[str, str]
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        before, after = NOT_WITHIN_WORDS
        longest_first = sorted(self.by_id, key=len, reverse=True)
        object.__setattr__(self, "_pattern", re.compile(before + f"({'|'.join(map(re.escape, longest_first))})" + after))

    @classmethod
    def of(cls, ids: Iterable[str]) -> StandIns:
        """Make up a stand-in for each id."""
        return cls({identifier: f"erased-{new_id()[:12]}" for identifier in ids})

    def are_in(self, text: str) -> bool:
        """Return whether a text names any of the ids."""
        return self._pattern.search(text) is not None

    def may_be_in(self, column: Any) -> ColumnElement[bool]:
        """Return whether a column may name any of the ids; JSON that a driver has written has no letters beyond ASCII."""
        forms = {form for identifier in self.by_id for form in (identifier, *_list_as_json(identifier))}
        return or_(*(cast(column, Text).contains(form, autoescape=True) for form in sorted(forms)))

    def put_into(self, value: Any) -> Any:
        """Return a text or a document with the stand-ins in it, and what it names as well as identifies without the name."""
        if isinstance(value, str):
            return self._pattern.sub(lambda match: self.by_id[match[1]], value)
        if isinstance(value, list):
            return [self.put_into(part) for part in value]
        if not isinstance(value, dict):
            return value
        document = {self.put_into(key): self.put_into(part) for key, part in value.items()}
        if value.get("id") in self.by_id and "name" in value:
            document["name"] = document["id"]
        return document


def put_into_all(session: Session, stand_ins: StandIns) -> int:
    """Put stand-ins into every row that names what they stand for, and return how many there were.

    A partner knows the patient no more: what it was told of them is left out.
    """
    return sum(_put_into(session, table, stand_ins) for table in metadata.sorted_tables if table.name != AuditRow.__tablename__)


def _put_into(session: Session, table: Table, stand_ins: StandIns) -> int:
    columns = [column for column in table.columns if isinstance(column.type, String | JSON) and not column.primary_key]
    if not columns:
        return 0
    naming = or_(*map(stand_ins.may_be_in, columns))
    changed = 0
    for row in list(session.connection().execute(select(*table.primary_key, *columns).where(naming)).mappings()):
        values = {column.name: row[column.name] for column in columns}
        after = dict(_list_changes(table, values, stand_ins))
        if after:
            session.connection().execute(update(table).where(match_key(table, row)).values(after))
            changed += 1
    return changed


def _list_as_json(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        yield json.dumps(text, ensure_ascii=is_ascii)[1:-1]


def _list_changes(table: Table, values: Mapping[str, Any], stand_ins: StandIns) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if table.name == MirrorRow.__tablename__ and name == "told":
            after = {patient: told for patient, told in value.items() if patient not in stand_ins.by_id}
        else:
            after = _put_into_value(value, stand_ins)
        if after != value:
            yield name, after
            if table.name == ScenarioRow.__tablename__ and name == "document":
                yield "digest", sha256(str(after).encode()).hexdigest()


def _put_into_value(value: Any, stand_ins: StandIns) -> Any:
    """Return what a column holds with stand-ins in it; a text that is a document stays one."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return stand_ins.put_into(value)
    try:
        document = json.loads(value)
    except ValueError:  # a sentence that begins so
        return stand_ins.put_into(value)
    after = stand_ins.put_into(document)
    return value if after == document else json.dumps(after, ensure_ascii=False, separators=(",", ":"))
