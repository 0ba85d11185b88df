"""What is counted while a calendar from elsewhere is read: work, against its limits, and parts that cannot be understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from scheduling.errors import Fault, InvalidFile

MAX_OCCURRENCES = 20_000
"""Most repetitions that one file may have within the window."""

MAX_STEPS = 400_000
"""Most work that finding them may be, in steps of about a microsecond."""

MAX_DATES = 5_000
"""Most dates that one file may list in RDATE and EXDATE of what is looked at."""

MAX_LISTED = 20
"""Most parts that cannot be understood that are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """A property that could not be understood, and when its event starts, in UTC, if that is known."""

    property: str
    start: datetime | None = None


@dataclass(slots=True)
class Tally:
    """What is counted while a file is read.

    Attributes
    ----------
    unread : int
        Parts that could not be understood; ``parts`` lists the first of them.
    """

    source: str
    unread: int = 0
    parts: list[UnreadPart] = field(default_factory=list)
    occurrences: int = 0
    steps: int = 0
    dates: int = 0

    def note(self, name: str, start: datetime | None = None) -> None:
        """Count a part that cannot be understood."""
        self.unread += 1
        if len(self.parts) < MAX_LISTED:
            self.parts.append(UnreadPart(name, start))

    def spend(self, steps: int) -> None:
        """Count work. Raises ``InvalidFile`` when it is too much, as the next two do."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise InvalidFile(self.source, [Fault("", "more repetitions than can be read")])

    def add_occurrence(self) -> None:
        """Count one repetition within the window."""
        self.occurrences += 1
        if self.occurrences > MAX_OCCURRENCES:
            raise InvalidFile(self.source, [Fault("", "more repetitions than can be read")])

    def add_date(self) -> None:
        """Count a date of a list."""
        self.dates += 1
        if self.dates > MAX_DATES:
            raise InvalidFile(self.source, [Fault("", f"more than {MAX_DATES:,} single dates")])
