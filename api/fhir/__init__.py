"""FHIR R4 (4.0.1): what the service knows as resources, and what hospital systems send read as what it knows.

Resources are plain dictionaries. What comes in is held against the release's own models (``fhir.resources``) and the
invariants that those do not know. What is not scheduling is not here.
"""
