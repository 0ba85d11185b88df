"""Drives evolution-data-server, the calendars of GNOME: ``drive_evolution.py URL`` subscribes to a calendar.

It is run by the system's Python, which has the bindings, within a D-Bus session of its own. Each line in asks to look whether
the calendar has changed, or with ``events`` for what it shows now, a line of JSON as the readers print it.
"""

from __future__ import annotations

import json
import sys

import gi

gi.require_version("EDataServer", "1.2")
gi.require_version("ECal", "2.0")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, GLib  # noqa: E402

DO_NOT_WAIT = 2**32 - 1
"""What a connection takes for the seconds that it waits to hear that the network is there."""


def subscribed(url: str) -> ECal.Client:
    registry = EDataServer.SourceRegistry.new_sync(None)
    source = EDataServer.Source.new(None, None)
    source.set_parent("webcal-stub")
    source.set_display_name("feed")
    source.get_extension(EDataServer.SOURCE_EXTENSION_CALENDAR).set_backend_name("webcal")
    source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_uri(GLib.Uri.parse(url, GLib.UriFlags.NONE))
    registry.commit_source_sync(source, None)
    found = registry.ref_source(source.get_uid())
    return ECal.Client.connect_sync(found, ECal.ClientSourceType.EVENTS, DO_NOT_WAIT, None)


def instant(component: ECal.Component, time: object) -> int:
    value = time.get_value()
    zone = value.get_timezone() or client.get_timezone_sync(time.get_tzid(), None)[1]
    return value.as_timet_with_zone(zone)


client = subscribed(sys.argv[1])
for line in sys.stdin:
    if line.strip() == "events":
        _, found = client.get_object_list_as_comps_sync("#t", None)
        events = [[one.get_uid(), instant(one, one.get_dtstart()), instant(one, one.get_dtend())] for one in found]
        sys.stdout.write(json.dumps({"events": events, "faults": []}) + "\n")
    else:
        client.refresh_sync(None)
        sys.stdout.write("{}\n")
    sys.stdout.flush()
