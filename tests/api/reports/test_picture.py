"""The picture: sound XML in millimetres, on the page, legible, and without names of patients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from support import factories
from support.factories import provider, shift

from api.reports.palette import COLOURS, OTHER_COLOUR, colour, families, title
from api.reports.picture import LEAST_ROW, MOST_ROW, draw_picture, lay_out
from api.reports.picture.bands import HEADER, Axis, Band, bands
from api.reports.picture.legend import COLUMNS, Legend, legend
from api.reports.picture.look import LEAST_TYPE, PAGE_HEIGHT, PAGE_WIDTH
from api.reports.picture.svg import Drawing, fitting, shortened, text_width
from scheduling import catalogue
from scheduling.catalogue import list_families
from scheduling.plan import Plan
from scheduling.scenario import Scenario

SVG = "{http://www.w3.org/2000/svg}"


def parsed(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter() if element.tag in (f"{SVG}text", f"{SVG}title")]


def titles(root: ElementTree.Element) -> list[str]:
    return [element.findtext(f"{SVG}title") or "" for element in root.iter(f"{SVG}g")]


def long_scenario(weeks: int, people: int) -> Scenario:
    first = date(2026, 11, 30)
    days = [(first + timedelta(days=7 * week)).isoformat() for week in range(weeks)]
    staff = [provider(f"p-{n}", shifts=[shift(f"{day}T08:00", f"{day}T12:00") for day in days]) for n in range(people)]
    horizon = {"start": first.isoformat(), "end": (first + timedelta(days=7 * weeks)).isoformat()}
    return factories.scenario(providers=staff, horizon=horizon)


def boxes(root: ElementTree.Element) -> Iterator[tuple[float, float, float, float]]:
    for rect in root.iter(f"{SVG}rect"):
        if "x" in rect.attrib:
            x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            yield x, y, x + width, y + height


def test_a_week_is_one_a3_sheet_in_millimetres(asked: Scenario, made: Plan) -> None:
    root = parsed(draw_picture(asked, made))
    assert (root.tag, root.attrib["viewBox"]) == (f"{SVG}svg", "0 0 420 297")
    assert (root.attrib["width"], root.attrib["height"]) == ("420mm", "297mm")


def test_every_booking_is_drawn_once_for_each_of_its_people(asked: Scenario, made: Plan) -> None:
    drawn = sorted(text.split(":")[0] for text in titles(parsed(draw_picture(asked, made))))
    assert drawn == ["coping", "hold-1", "v-1", "v-2", "v-2", "v-3", "v-3", "v-5"]


def test_a_booking_stands_at_its_time(asked: Scenario, made: Plan) -> None:
    root = parsed(draw_picture(asked, made))
    (band,) = bands(asked, made)
    group = next(group for group in root.iter(f"{SVG}g") if (group.findtext(f"{SVG}title") or "").startswith("v-1:"))
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    start = band.axis.x(date(2026, 12, 1), 9 * 60)
    width = band.axis.x(date(2026, 12, 1), 9 * 60 + 40) - start
    assert float(rect.attrib["x"]) == pytest.approx(start, abs=0.2)
    assert float(rect.attrib["width"]) == pytest.approx(width, abs=0.3)


def test_nothing_leaves_the_page_and_no_type_is_too_small(asked: Scenario, made: Plan) -> None:
    root = parsed(draw_picture(asked, made))
    assert all(x >= 0 and y >= 0 and right <= PAGE_WIDTH and low <= PAGE_HEIGHT for x, y, right, low in boxes(root))
    assert min(float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")) >= LEAST_TYPE


def test_names_are_escaped_and_patients_are_not_named(asked: Scenario, made: Plan) -> None:
    content = draw_picture(asked, made)
    assert asked.providers_by_id["ben"].name in texts(parsed(content))
    assert asked.patients_by_id["pat"].name not in " ".join(texts(parsed(content)))
    assert b"Secret" not in content


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    drawing = Drawing(10, 10, "a\x00b\x0cc")
    drawing.text(1, 1, "bell\x07 & \ufffe<tag>", 2)
    assert texts(parsed(drawing.to_bytes())) == ["abc", "bell & <tag>"]


def test_held_and_supervised_bookings_are_dashed(asked: Scenario, made: Plan) -> None:
    groups = list(parsed(draw_picture(asked, made)).iter(f"{SVG}g"))
    dashed = [g.findtext(f"{SVG}title") for g in groups for r in g.iter(f"{SVG}rect") if "stroke-dasharray" in r.attrib]
    assert sorted((text or "").split(":")[0] for text in dashed) == ["hold-1", "v-3"]


def test_the_heading_tells_cost_and_bound(asked: Scenario, made: Plan) -> None:
    proven = made.changed(bound=7)
    assert any("4 of 5 visits planned" in text and "less than 7" in text for text in texts(parsed(draw_picture(asked, proven))))


def test_nobody_at_work_gives_a_picture_that_says_so() -> None:
    asked = factories.scenario(providers=[])
    assert any("Nobody works" in text for text in texts(parsed(draw_picture(asked, factories.plan(asked)))))


@pytest.mark.parametrize(("weeks", "people", "sheets"), [(1, 5, 1), (4, 5, 1), (4, 20, 2), (5, 40, 5), (1, 200, 1)])
def test_weeks_share_a_sheet_while_rows_keep_their_height(weeks: int, people: int, sheets: int) -> None:
    asked = long_scenario(weeks, people)
    made = factories.plan(asked)
    layout = lay_out(bands(asked, made), legend(asked, made).height)
    assert len(layout.sheets) == sheets
    assert sum(len(sheet) for sheet in layout.sheets) == weeks
    assert LEAST_ROW <= layout.row_height <= MOST_ROW
    assert layout.sheet_height >= PAGE_HEIGHT
    root = parsed(draw_picture(asked, made))
    assert root.attrib["viewBox"] == f"0 0 420 {layout.sheet_height * sheets:g}"
    assert all(low <= layout.sheet_height * sheets + 0.01 for *_, low in boxes(root))


def test_a_week_holds_its_working_dates_and_half_days_side_by_side() -> None:
    asked = long_scenario(2, 1)
    first, second = bands(asked, factories.plan(asked))
    assert (first.axis.days, second.axis.days) == ((date(2026, 11, 30),), (date(2026, 12, 7),))
    axis = Axis((date(2026, 11, 30), date(2026, 12, 1)), 8, 18)
    assert axis.x(axis.days[0], 18 * 60) == pytest.approx(axis.x(axis.days[1], 8 * 60))
    assert axis.x(axis.days[0], 13 * 60) == pytest.approx((axis.x(axis.days[0], 480) + axis.x(axis.days[0], 1080)) / 2)


def test_the_legend_names_what_occurs_and_leaves_no_title_alone_at_a_columns_foot() -> None:
    clinic = catalogue.build_clinic()
    asked = factories.scenario(clinic=clinic, providers=[])
    found = full_legend(asked)
    assert len(found.columns) <= COLUMNS
    assert all(column[-1].service is not None for column in found.columns)
    assert sum(line.service is not None for column in found.columns for line in column) == len(clinic.services)


def full_legend(asked: Scenario) -> Legend:
    """Return the legend of a plan that holds one visit of every service, wherever."""
    room = asked.clinic.rooms[0].id
    visits = [factories.visit(f"v-{n}", service=service.id) for n, service in enumerate(asked.clinic.services)]
    every = factories.scenario(*visits, clinic=asked.clinic, providers=[])
    wishes = (factories.booking(visit.id, "MO 09:00", room, "") for visit in visits)
    return legend(every, factories.plan(every, *wishes))


def test_every_family_has_a_colour_of_its_own() -> None:
    names = list_families()
    assert len({colour(name) for name in names}) == len(names) == len(COLOURS)
    assert colour("other") == OTHER_COLOUR
    assert families(["nothing", "follow-up", "scs-trial"]) == ("evaluation", "ablation-and-stimulation", "other")
    assert title("ablation-and-stimulation") == "ablation and stimulation"


def test_text_that_does_not_fit_gives_way_to_the_next_and_to_smaller_type() -> None:
    assert fitting(["wang-exam-1", "WE1"], 5, (1.5, 2)) == ("WE1", pytest.approx(2, abs=0.5))
    assert fitting(["WWWW"], 1, (1.5, 2)) is None
    name = fitting(shortened("Neuromodulation Physician"), 20, (1.8, 2.6), bold=True)
    assert name is not None and name[0].endswith("…")
    assert text_width(*name, bold=True) <= 20.01


def band_of(axis: Axis, count: int) -> Band:
    rows: dict[str, Any] = {f"p-{number}": {} for number in range(count)}
    return Band(axis, rows)


def test_few_rows_are_not_stretched_over_the_sheet() -> None:
    axis = Axis((date(2026, 11, 30),), 8, 17)
    assert lay_out([band_of(axis, 1)], 10).row_height == MOST_ROW
    assert lay_out([], 10).sheets == ((),)
    assert HEADER < MOST_ROW
