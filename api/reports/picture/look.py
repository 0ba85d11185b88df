"""Sizes in millimetres, colours, and the short names that a picture of one scenario uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from api.reports.labels import codes
from scheduling.scenario import Scenario

PAGE_WIDTH, PAGE_HEIGHT = 420.0, 297.0
"""A3 landscape."""

MARGIN = 8.0
LABEL_WIDTH = 36.0
LEAST_TYPE = 1.45
"""The smallest type that is still read on paper: 4 points."""

TALL_ROW = 7.0
"""Rows of this height and more name buildings and the ids of providers."""

GREY, FAINT, ON_DUTY = "#666666", "#d5d5d5", "#f2f2f2"
DASHES = {"fill_opacity": "0.35", "stroke_dasharray": "0.7 0.5"}
"""How an entry looks that is only held, or supervised."""

PLACES = ("#4a5568", "#8c510a", "#01665e", "#762a83", "#9b2226", "#5c4d00")
"""Colours of buildings, dark enough for white text."""


@dataclass(frozen=True)
class Look:
    """What stands for the services, rooms and buildings of a scenario."""

    service_codes: Mapping[str, str]
    room_codes: Mapping[str, str]
    place_colours: Mapping[str, str]

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Choose the codes and colours of a scenario."""
        places = {location: PLACES[index % len(PLACES)] for index, location in enumerate(scenario.locations)}
        return cls(codes(scenario.services), codes(scenario.rooms), places)
