"""Calendars of a plan written as files, with the identifiers that keep their events the same from plan to plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from scheduling.files import write_bytes
from scheduling.plan import Plan
from scheduling.scenario import Scenario

Owner = Literal["provider", "room", "patient", "group", "location"]


def export_one(
    scenario: Scenario, plan: Plan, plan_file: Path, kind: Owner, identifier: str, target: Path, uids_file: Path | None = None
) -> Path:
    """Write one calendar to a file, or into a directory that exists. Raises ``UnknownId``."""
    from calendars.exports import make_plan_calendar
    from calendars.filenames import make_file_name
    from calendars.uids import Uids, get_sidecar_path

    kept = uids_file or get_sidecar_path(plan_file)
    uids = Uids.read(kept)
    content = make_plan_calendar(kind, identifier, scenario, plan, uids, changed_at(plan_file))
    file = target / f"{make_file_name(identifier)}.ics" if target.is_dir() else target
    uids.write(kept)
    write_bytes(file, content)
    return file


def export_all(scenario: Scenario, plan: Plan, plan_file: Path, target: Path, uids_file: Path | None = None) -> Iterator[Path]:
    """Write every calendar into a directory and yield the files."""
    from calendars import exports
    from calendars.uids import Uids, get_sidecar_path

    kept = uids_file or get_sidecar_path(plan_file)
    uids = Uids.read(kept)
    made = list(exports.export_all(scenario, plan, uids, changed_at(plan_file)))
    uids.write(kept)
    for name, content in made:
        write_bytes(target / name, content)
        yield target / name


def take_over_uids(earlier: Path, later: Path) -> None:
    """Keep the identifiers of an earlier plan's events for a later plan, so that calendars see changes and no new events.

    Raises
    ------
    InvalidFile
        When a file of identifiers that is there is none.
    """
    from calendars.uids import Uids, get_sidecar_path

    before, after = get_sidecar_path(earlier), get_sidecar_path(later)
    if later.is_file() and before.exists() and before != after:
        uids = Uids.read(after)
        uids.take_over(Uids.read(before))
        uids.write(after)


def changed_at(plan_file: Path) -> datetime:
    """Return when the plan was last changed, so that the same plan gives the same calendars."""
    return datetime.fromtimestamp(plan_file.stat().st_mtime, UTC)
