"""Links in the master: what goes before what, how many days apart, at one location, with one provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scheduling.requests import Link
from scheduling.scenario import Scenario
from solver.bound.relaxation import LinearProgram
from solver.state.domains import ShiftId
from solver.state.tasks import Key, visit_key


@dataclass(frozen=True, slots=True)
class TaskColumn:
    """What a column of a task means: a session and location, some starts, and for a named column the shift.

    ``stays``: the task is where it stands, so that nobody has to be called.
    """

    column: int
    day: int
    session: int
    location: str
    shift: ShiftId | None
    starts: int
    stays: bool


class Links:
    """The rows of every link; ``choices`` are the columns of each task."""

    def __init__(
        self,
        scenario: Scenario,
        program: LinearProgram,
        choices: Mapping[Key, Sequence[TaskColumn]],
        left_out: Mapping[Key, int],
    ) -> None:
        self.scenario = scenario
        self.program = program
        self.choices = choices
        self.left_out = left_out

    def rows(self) -> None:
        """Keep every link by date, location and provider."""
        for link in self.scenario.links:
            keys = visit_key(link.before), visit_key(link.after)
            before, after = self.choices[keys[0]], self.choices[keys[1]]
            outs = [self.left_out[keys[1]], self.left_out[keys[0]]]
            self.program.add_row(outs, [1, -1], low=0, high=0 if link.together else 1)
            for day in range(self.scenario.grid.days):
                if link.any_order:
                    self._near(before, after, day, link)
                    continue
                self._within(_until(before, day - link.min_days), _until(after, day))
                if link.max_days is not None:
                    self._within(_since(before, day - link.max_days), _since(after, day))
            if link.same_location:
                for location in sorted({choice.location for choice in after}):
                    self._within(*([c for c in some if c.location == location] for some in (before, after)))
            if link.same_provider:
                for provider in sorted({choice.shift.provider for choice in after if choice.shift}):
                    self._within(_with(before, provider), _with(after, provider))

    def _near(self, choices: Sequence[TaskColumn], others: Sequence[TaskColumn], day: int, link: Link) -> None:
        """Let a visit of a link in any order be on a day only as far as the other one is at its distance, sooner or later."""
        most = self.scenario.grid.days if link.max_days is None else link.max_days
        near = [choice for choice in choices if link.min_days <= abs(choice.day - day) <= most]
        self._within(near, [choice for choice in others if choice.day == day])

    def _within(self, leaders: Sequence[TaskColumn], followers: Sequence[TaskColumn]) -> None:
        """Let a later visit take any of some choices only when the sooner visit takes any of others."""
        if followers:
            columns = [choice.column for choice in (*followers, *leaders)]
            self.program.add_row(columns, [1] * len(followers) + [-1] * len(leaders), high=0)


def _until(choices: Iterable[TaskColumn], day: int) -> list[TaskColumn]:
    return [choice for choice in choices if choice.day <= day]


def _since(choices: Iterable[TaskColumn], day: int) -> list[TaskColumn]:
    return [choice for choice in choices if choice.day >= day]


def _with(choices: Iterable[TaskColumn], provider: str) -> list[TaskColumn]:
    return [choice for choice in choices if choice.shift is not None and choice.shift.provider == provider]
