"""One week: as people live by it, as a board shows it, and what could still be placed in it."""
