"""Use cases: each one transaction of the store, each audited."""
