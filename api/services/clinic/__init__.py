"""The clinic: what is taken in of it, who works when, what the roster does not know, and its programmes."""
