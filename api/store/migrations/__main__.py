"""``python -m api.store.migrations "what changes"`` writes a migration from what the tables have and the migrations do not."""

from __future__ import annotations

import sys

from api.store.database import Database
from api.store.migrations import migrate, write_migration

if __name__ == "__main__":
    empty = Database("sqlite://")
    migrate(empty)
    write_migration(empty, sys.argv[1])
