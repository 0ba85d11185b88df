"""The queries, by what they ask for. Each takes a session of the store and is part of its caller's transaction."""
