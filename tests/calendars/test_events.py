"""What every event has, whatever calendar it is in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calendars.events import CalendarEvent
from calendars.wording import Notice

NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(("place", "has_location"), [("Wang, Suite 340", True), ("", False)])
def test_an_event_has_a_location_only_where_it_has_a_place(place: str, has_location: bool) -> None:
    occasion = CalendarEvent("uid-1", 0, NOW, NOW, NOW + timedelta(minutes=15), Notice("Summary", place, "Words", ("Kind",)))
    assert (b"\r\nLOCATION:" in occasion.content("America/New_York")) == has_location
