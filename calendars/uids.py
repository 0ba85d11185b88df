"""Calendar identifiers that outlive plans: random, made once, kept in a file beside the plan.

An event keeps its UID when the next plan moves it, and when that plan is another file (:meth:`Uids.take_over`), so a calendar
that imports it again moves it too instead of showing it twice. A UID is random and says nothing of whom or what it stands
for. Its SEQUENCE rises whenever time or place differ from what was last written.

References
----------
RFC 5545, sections 3.8.4.7 (UID) and 3.8.7.4 (SEQUENCE); RFC 7986, section 5.3 (a UID is random, without personal data);
RFC 5546, section 2.1.4 (when the SEQUENCE has to rise).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from uuid import uuid4

from pydantic import Field, ValidationError

from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Count, Id, ItemKind, Model, Stamp
from scheduling.files import read_json, write_text
from scheduling.plan import Booking
from scheduling.references import make_fault

UIDS_FORMAT: Final = "clinicweave-uids/1"


class WrittenPlace(Model):
    """The time and place that were last written for an event."""

    start: Stamp
    end: Stamp
    location: Id


class UidRecord(Model):
    """One event's UID, how often it has changed, and how it was last written (null: never)."""

    kind: ItemKind
    id: Id
    uid: Annotated[str, Field(pattern=r"^[0-9A-Za-z.@_-]{8,200}$")]
    sequence: Count = 0
    said: WrittenPlace | None = None


class UidsFile(Model):
    """The sidecar file."""

    format: Literal["clinicweave-uids/1"]
    uids: tuple[UidRecord, ...]


def get_sidecar_path(plan: Path | str) -> Path:
    """Return where a plan file's UIDs are kept: ``plan.json`` has ``plan.uids.json`` beside it."""
    path = Path(plan)
    return path.with_name(f"{path.name.removesuffix('.json')}.uids.json")


class Uids:
    """The UIDs of visits, group sessions and holds. Asking for one makes it; :meth:`write` keeps them."""

    def __init__(self, entries: Iterable[UidRecord] = ()) -> None:
        self._entries = {(entry.kind, entry.id): entry for entry in entries}

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a sidecar file; a file that does not exist holds none yet.

        Raises
        ------
        InvalidFile
            With every fault of a file that exists and is no such file.
        """
        file = Path(path)
        return cls.parse(read_json(file), str(file)) if file.exists() else cls()

    @classmethod
    def parse(cls, text: bytes | str, source: str = "uids") -> Self:
        """Validate a sidecar file's text; ``source`` names it in errors. Raises ``InvalidFile``."""
        try:
            entries = UidsFile.model_validate_json(text).uids
        except ValidationError as error:
            raise InvalidFile(source, [make_fault(d) for d in error.errors(include_url=False, include_input=False)]) from None
        faults = _find_repetitions(entries)
        if faults:
            raise InvalidFile(source, faults)
        return cls(entries)

    def write(self, path: Path | str) -> None:
        """Write the sidecar file whole, or leave what was there."""
        entries = tuple(self._entries[key] for key in sorted(self._entries))
        write_text(Path(path), UidsFile(format=UIDS_FORMAT, uids=entries).model_dump_json(indent=1) + "\n")

    def take_over(self, earlier: Uids) -> None:
        """Take over the UIDs of an earlier plan: what it has an event of is the same event here, and was said as last said."""
        for key, entry in earlier._entries.items():
            known = self._entries.get(key)
            if known is None or known.uid != entry.uid or known.sequence < entry.sequence:
                self._entries[key] = entry

    def of(self, kind: ItemKind, identifier: str) -> str:
        """Return the UID of a visit, group session or hold, made when first asked for."""
        return self._get_record(kind, identifier).uid

    def sequence(self, kind: ItemKind, identifier: str, booking: Booking) -> int:
        """Return how often an event's time or place has changed since its UID was made, this booking included.

        The room and the people may change without a rise: what the patient has to know stays the same.
        """
        entry = self._get_record(kind, identifier)
        said = WrittenPlace(start=booking.start, end=booking.end, location=booking.location)
        if entry.said != said:
            rise = 0 if entry.said is None else 1
            entry = entry.changed(sequence=entry.sequence + rise, said=said)
            self._entries[kind, identifier] = entry
        return entry.sequence

    def _get_record(self, kind: ItemKind, identifier: str) -> UidRecord:
        key = (kind, identifier)
        if key not in self._entries:
            self._entries[key] = UidRecord(kind=kind, id=identifier, uid=f"{uuid4()}@clinicweave")
        return self._entries[key]


def _find_repetitions(entries: Iterable[UidRecord]) -> list[Fault]:
    faults: list[Fault] = []
    keys: set[tuple[str, str]] = set()
    uids: set[str] = set()
    for index, entry in enumerate(entries):
        if (entry.kind, entry.id) in keys:
            faults.append(Fault(f"uids[{index}].id", f'"{entry.id}" has a UID already'))
        if entry.uid in uids:
            faults.append(Fault(f"uids[{index}].uid", "stands for another event already"))
        keys.add((entry.kind, entry.id))
        uids.add(entry.uid)
    return faults
