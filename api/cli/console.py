"""The terminal: where results and messages go, how a command ends, and how an error becomes one clear message."""

from __future__ import annotations

import errno
import json
import os
import sys
from enum import IntEnum
from typing import Any

import typer
from rich.console import Console, RenderableType
from typer.core import TyperGroup

from api.runtime.exceptions import ServiceError
from api.store.errors import StoreError
from scheduling.errors import ClinicweaveError, EventRefused, InvalidFile, UnknownId

MAX_FAULTS = 40
"""Faults of a file that a message names; a file of another kind can have thousands."""

PIPED_WIDTH = 140
"""Width of boards and tables that go into a file or a pipe, unless ``COLUMNS`` says otherwise."""


class ExitCode(IntEnum):
    """How a command ends: its exit code."""

    FINE = 0
    RULE_BROKEN = 1
    BAD_INPUT = 2
    PINS_CONFLICT = 3
    DEFECT = 4
    NO_PLACE = 5
    INTERRUPTED = 130


class Terminal(Console):
    """A console that ends quietly when its reader has gone, as in ``clinicweave show ... | head``."""

    def on_broken_pipe(self) -> None:
        """End the command."""
        raise closed_pipe()


def out() -> Console:
    """Return the console of results."""
    console = Terminal(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Terminal(highlight=False, width=PIPED_WIDTH)


def err() -> Console:
    """Return the console of progress and messages, apart from results."""
    return Terminal(stderr=True, highlight=False)


def show(*parts: RenderableType) -> None:
    """Write tables and texts as results."""
    console = out()
    for part in parts:
        console.print(part)


def say(message: str) -> None:
    """Write a message beside the results."""
    typer.echo(message, err=True)


def print_json(document: Any) -> None:
    """Write a machine-readable result."""
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def end_command(outcome: ExitCode, message: str = "") -> typer.Exit:
    """Write a message, and return what ends the command when raised."""
    if message:
        say(message)
    return typer.Exit(int(outcome))


class Commands(TyperGroup):
    """The commands, with every error that is not a defect of ours as one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except InvalidFile as error:
            raise end_command(ExitCode.BAD_INPUT, describe_faults(error)) from None
        except (UnknownId, EventRefused, ServiceError, StoreError) as error:
            raise end_command(ExitCode.BAD_INPUT, f"Error: {error}") from None
        except ClinicweaveError as error:
            raise end_command(ExitCode.DEFECT, f"Error: {error}. This is a defect of Clinicweave; no plan was made.") from None
        except KeyboardInterrupt:
            raise end_command(ExitCode.INTERRUPTED, "Interrupted.") from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise closed_pipe() from None
            where = f"{error.filename}: " if error.filename else ""
            raise end_command(ExitCode.BAD_INPUT, f"Error: {where}{(error.strerror or str(error)).lower()}") from None


def describe_faults(error: InvalidFile) -> str:
    """Return the message of a file that cannot be used, with its first faults."""
    if len(error.faults) == 1:
        return f"Error: {error.source}: {error.faults[0]}"
    shown = [f"  {fault}" for fault in error.faults[:MAX_FAULTS]]
    rest = len(error.faults) - len(shown)
    return "\n".join(
        [f"Error: {error.source} has {len(error.faults)} faults:", *shown, *([f"  and {rest} more"] if rest else [])]
    )


def closed_pipe() -> typer.Exit:
    """Return what ends a command whose reader has gone; what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(int(ExitCode.FINE))
