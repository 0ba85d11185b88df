"""Where ``tests/clients/install`` has put the clients."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


def folder() -> Path:
    """Return the folder that the install script uses when it is given none."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("CLINICWEAVE_CLIENTS") or caches / "clinicweave-clients")


@dataclass(frozen=True)
class Installed:
    """The clients in a folder."""

    folder: Path

    @property
    def node_packages(self) -> Path:
        """The folder from which Node finds its packages."""
        return self.folder / "node"

    @property
    def libical(self) -> Path:
        """The reader with libical, compiled."""
        return self.folder / "libical"

    def program(self, name: str) -> Path:
        """Return a program of the clients' own Python environment."""
        return self.folder / "venv" / "bin" / name

    @property
    def peers(self) -> Path:
        """The folder of the programs that speak FHIR, which have a Python environment of their own."""
        return self.folder / "fhir" / "bin"
