"""The error tree.

::

    ClinicweaveError
    ├── InvalidFile          a file, or an argument as rich as one, that cannot be used; carries its faults
    ├── UnknownId            an argument names something that the scenario does not have
    ├── RuleBroken           a plan that the solver made breaks a rule: a defect of the solver, never a plan
    ├── ModelInvalid         CP-SAT refused a model: a defect of the encoding
    └── EventRefused         something that cannot have happened to an episode of care, as far as it is known

Infeasible and time-limit are results, not errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_PRINTED_FAULTS = 50
"""Most faults that an error's text names; the error carries them all."""


def printable(text: str) -> str:
    """Return a text that any terminal and encoding can show: line breaks, control characters and half pairs escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a file: its path inside the file (``visits[12].service``) and what is wrong; both printable."""

    path: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", printable(self.path))
        object.__setattr__(self, "message", printable(self.message))

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ClinicweaveError(Exception):
    """Root of every error that Clinicweave raises on purpose."""


class InvalidFile(ClinicweaveError):
    """A file that cannot be read as what it should be.

    Attributes
    ----------
    source : str
        The file, or a word for the text's origin.
    faults : tuple of Fault
        Every fault found, in the order of the file.
    """

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__(source, self.faults)

    def __str__(self) -> str:
        lines = [f"{printable(self.source)}: {len(self.faults)} fault(s)"]
        lines += [f"  {fault}" for fault in self.faults[:MAX_PRINTED_FAULTS]]
        more = len(self.faults) - MAX_PRINTED_FAULTS
        return "\n".join([*lines, f"  ... and {more} more"] if more > 0 else lines)


class UnknownId(ClinicweaveError):
    """An id that the scenario or the plan does not have."""

    def __init__(self, kind: str, identifier: str) -> None:
        self.kind = kind
        self.identifier = identifier
        super().__init__(kind, identifier)

    def __str__(self) -> str:
        return f'unknown {self.kind} "{self.identifier}"'


class RuleBroken(ClinicweaveError):
    """A plan made by the solver broke a rule, or its cost was not what the solver thought."""

    def __init__(self, rule: str, ids: Sequence[str], detail: str) -> None:
        self.rule = rule
        self.ids = tuple(ids)
        self.detail = detail
        super().__init__(rule, self.ids, detail)

    def __str__(self) -> str:
        return f"a plan broke the rule {self.rule} ({', '.join(self.ids)}): {self.detail}"


class ModelInvalid(ClinicweaveError):
    """CP-SAT answered MODEL_INVALID."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)

    def __str__(self) -> str:
        return f"CP-SAT refused the model: {self.detail}"


class EventRefused(ClinicweaveError):
    """An event that cannot follow an episode's history."""

    def __init__(self, episode: str, event: str, detail: str) -> None:
        self.episode = episode
        self.event = event
        self.detail = detail
        super().__init__(episode, event, detail)

    def __str__(self) -> str:
        return f'{self.event} of episode "{printable(self.episode)}": {self.detail}'
