"""Patients: found, written to, told apart, made one, and what one visit of theirs needs."""
