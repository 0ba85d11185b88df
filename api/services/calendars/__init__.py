"""Calendars that others read, and others' calendars that are read here."""
