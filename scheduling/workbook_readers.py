"""Who reads workbooks in forms that this package cannot: those who depend on it put themselves down here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduling.workbook import Reading

WORKBOOK_READERS: dict[str, Callable[[Path], Reading]] = {}
"""Readers of files, by what their names end with, like ``.xlsx``."""
