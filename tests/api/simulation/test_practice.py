"""Of a referral of the day without a place it is known whether anybody was on duty long enough."""

from __future__ import annotations

import pytest
from support.factories import provider, shift

from api.simulation.practice import is_staffed
from scheduling import catalogue
from scheduling.timegrid import stamp

CONSULT = next(service for service in catalogue.list_services() if service.id == "cancer-consult")


@pytest.mark.parametrize(
    ("clock", "busy", "sites", "staffed"),
    [
        pytest.param("13:00", [], ["boston"], True, id="on duty"),
        pytest.param("16:50", [], ["boston"], False, id="too late in the shift"),
        pytest.param("13:00", [("TU 13:00", "TU 16:50")], ["boston"], False, id="busy"),
        pytest.param("13:00", [("TU 14:30", "TU 17:00")], ["boston"], True, id="free before a meeting"),
        pytest.param("13:00", [], ["waltham"], False, id="at another site"),
    ],
)
def test_whether_somebody_was_on_duty_long_enough(
    clock: str, busy: list[tuple[str, str]], sites: list[str], staffed: bool
) -> None:
    someone = provider("ana", "cancer-pain", shifts=[shift("TU 13:00", "17:00", "wang")], busy=busy)
    known = stamp(someone.shifts[0].start.date(), int(clock[:2]) * 60 + int(clock[3:]))
    assert is_staffed([someone], CONSULT, known, sites) is staffed
    trainee = someone.changed(trainee=True)
    assert not is_staffed([trainee], CONSULT, known, sites)
