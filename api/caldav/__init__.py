"""Calendars by CalDAV, for reading: a process of its own, run by ``clinicweave caldav``, in which Radicale serves the store.

Radicale is under the GPL, version 3 or later, so it belongs to the extra ``caldav`` alone: nothing else imports this package,
and this package nothing of the service's HTTP interface.

- :mod:`api.caldav.storage` shows the feeds of the store as collections.
- :mod:`api.caldav.access` lets members of staff in, by their account's name and a program's token, each to what is theirs.
- :mod:`api.caldav.server` bounds connections, and what is asked by them.
- ``python -m api.caldav`` puts them together.

References
----------
RFC 4791 (CalDAV); RFC 6578 (collection synchronization).
"""
