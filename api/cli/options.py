"""Arguments and options that several commands share, and the checks that make a bad one a clear message."""

from __future__ import annotations

import errno
import math
import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.runtime.settings import MAX_SOLVE_SECONDS
from scheduling.scenario import Scenario
from scheduling.timegrid import weekday

MAX_WORKERS = 64


Size = Literal["tiny", "week", "month"]


def positive_seconds(value: float) -> float:
    """Refuse a time limit that is none."""
    if not (math.isfinite(value) and 0 < value <= MAX_SOLVE_SECONDS):
        raise typer.BadParameter(f"{value:g} is not above 0 and at most {MAX_SOLVE_SECONDS}")
    return value


def fraction(value: float) -> float:
    """Refuse what is no part of one."""
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{value:g} is not within 0 and 1")
    return value


def day_of(scenario: Scenario, text: str) -> date:
    """Return a planned date, named as ``2026-12-02`` or by a weekday that occurs once.

    Raises
    ------
    BadParameter
        When the text names no planned date, or several.
    """
    days = list(scenario.grid.dates())
    named = [day for day in days if text == day.isoformat()]
    if not named and len(text) >= len("MO"):
        named = [day for day in days if f"{day:%A}".upper().startswith(text.upper()) or weekday(day) == text.upper()]
    if len(named) == 1:
        return named[0]
    planned = f"{days[0]} to {days[-1]}"
    what = f"names {len(named)} dates" if named else "is no planned date"
    raise typer.BadParameter(f'"{text}" {what}; give one of {planned}', param_hint="--day")


def generated(size: Size, seed: int, start: datetime | None, with_needs: bool = False) -> Scenario:
    """Make up a scenario for people to live by, least notice and all. Raises ``BadParameter`` for a start on no Monday."""
    from scheduling.generate import DEFAULT_START, generate

    try:
        first = DEFAULT_START if start is None else start.date()
        return generate(size, seed, first, with_needs=with_needs, with_notice=True)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--start") from None


def expect_writable(file: Path) -> None:
    """Refuse a file that could not be written, before a long search whose plan would be lost."""
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not file.exists() or file.is_file():  # a device is written to, not replaced
        expect_directory(file.parent)


def answered_scenario(plan: Path) -> Path:
    """Return the file of the scenario that a plan answers, where both are written: NEW.scenario.json beside NEW.json."""
    return plan.with_name(f"{plan.stem}.scenario.json")


def expect_directory(directory: Path) -> None:
    """Make a directory where there is none, and refuse one that cannot be written into."""
    directory.mkdir(parents=True, exist_ok=True)
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))


ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file.", show_default=False)]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON, for machines.")]
Seconds = Annotated[float, typer.Option("--seconds", "-s", callback=positive_seconds, help="Time limit, s.")]
Workers = Annotated[int, typer.Option("--workers", "-w", min=1, max=MAX_WORKERS, help="Threads that search.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Seed of the search, or of what is generated.")]
Gap = Annotated[float, typer.Option("--gap", callback=fraction, help="Stop when at most this part of the cost could be saved.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.", show_default=False)]
Start = Annotated[
    datetime | None,
    typer.Option("--start", formats=["%Y-%m-%d"], metavar="DATE", help="The first day, a Monday.", show_default=False),
]
Now = Annotated[
    datetime | None,
    typer.Option("--now", formats=["%Y-%m-%dT%H:%M"], metavar="STAMP", help="The present moment, local.", show_default=False),
]
