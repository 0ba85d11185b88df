"""Any catalogue does: a workbook, a folder of one's own, a file of changes; and no code names what one clinic alone has."""

from __future__ import annotations

import ast
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduling import catalogue
from scheduling.catalogue.sources import NAMES, TWO_ROOMS
from scheduling.errors import InvalidFile
from scheduling.instructions import load_instructions

ROOT = Path(__file__).parents[2]
PACKAGES = ("solver", "calendars", "api")

EXAMPLES = ROOT / "api" / "http" / "routes"
"""Where the OpenAPI document's examples stand: they are of the pain centre, and say so."""

ENGINE_WORDS = {"group", "function"}
"""Ids of the pain centre that are words of the engine as well."""


def list_ids() -> set[str]:
    """Return every id of the catalogue in force that is a clinic's own."""
    clinic = catalogue.build_clinic()
    entries = (*clinic.services, *clinic.sites, *clinic.locations, *catalogue.list_workshops(), *catalogue.list_pathways())
    kinds = {kind.id for kind in catalogue.list_kinds() if kind.pathway is not None}
    return {entry.id for entry in entries} | kinds


def find_named_ids(text: str, ids: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the string constants of a module that are ids, each with its line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids:
            yield node.lineno, node.value


def test_no_code_names_an_id_of_one_clinic() -> None:
    ids = list_ids() - ENGINE_WORDS
    with catalogue.use_catalogue(TWO_ROOMS):
        ids |= list_ids() - {"control", "practice"}
    assert len(ids) > 70
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")) if EXAMPLES not in file.parents)
    named = {str(file): list(find_named_ids(file.read_text("utf-8"), ids)) for file in files}
    assert {file: lines for file, lines in named.items() if lines} == {}


def test_control_an_id_in_the_code_is_found() -> None:
    assert list(find_named_ids('x = 1\nif site == "boston": ...', list_ids())) == [(2, "boston")]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Put a file of changes in force."""
    entered: list[Any] = []

    def write(text: str) -> None:
        file = tmp_path / "own.toml"
        file.write_text(text, encoding="utf-8")
        entered.append(catalogue.use_catalogue(file))
        entered[-1].__enter__()

    yield write
    for context in reversed(entered):
        context.__exit__(None, None, None)


def test_the_practice_with_two_rooms_is_a_catalogue_by_itself() -> None:
    with catalogue.use_catalogue(TWO_ROOMS):
        clinic = catalogue.build_clinic()
        assert (clinic.name, [room.id for room in clinic.rooms]) == ("Two Rooms Physiotherapy", ["room-1", "room-2"])
        (workshop,) = catalogue.list_workshops()
        assert (workshop.id, workshop.capacity) == ("back-school", 8)
        assert [kind.id for kind in catalogue.list_kinds()] == [
            *("new-back-pain", "ultrasound-referral", "pain-today"),
            *("group", "referral-out"),
        ]
        course = catalogue.get_pathway("back-pain").course()
        assert [stage.service for stage in course] == ["assessment", *["treatment"] * 6, "control"]
        guidance = load_instructions().get_guidance(clinic.services[0])
        assert (guidance.arrive.minutes, guidance.bring[0].text) == (15, "Your referral.")
        place = load_instructions().get_wayfinding("practice")
        assert place.phone is not None
        assert place.phone.text == "+49 30 5550100"
    assert catalogue.build_clinic().name == "Center for Pain Medicine"


def test_a_folder_of_ones_own_is_a_whole_catalogue(tmp_path: Path) -> None:
    shipped = Path(catalogue.__file__).parent
    for name in NAMES:
        shutil.copy(shipped / name, tmp_path / name)
    services = tmp_path / "services.toml"
    services.write_text(services.read_text("utf-8").replace('name = "Follow-up visit"', 'name = "Second look"'), "utf-8")
    with catalogue.use_catalogue(tmp_path):
        assert catalogue.get_service("follow-up").name == "Second look"
    (tmp_path / "kinds.toml").unlink()
    with catalogue.use_catalogue(tmp_path), pytest.raises(InvalidFile, match=r"kinds\.toml"):
        catalogue.list_kinds()


def test_kinds_and_instructions_change_and_are_added(own: Callable[[str], Any]) -> None:
    own(
        """
        [kinds.follow-up]
        priority = "soon"
        [instructions.services.spine-evaluation.arrive]
        minutes = 20
        [instructions.places.wang.phone]
        text = "555-0100"
        [[add.kinds]]
        id = "second-opinion"
        name = "second opinion"
        pathway = "follow-up"
        [[add.workshops]]
        id = "sleep"
        name = "Sleeping well"
        service = "behavioral-group"
        required = false
        capacity = 8
        min_attendees = 3
        """
    )
    kinds = {kind.id: kind for kind in catalogue.list_kinds()}
    assert (kinds["follow-up"].priority, kinds["second-opinion"].pathway) == ("soon", "follow-up")
    assert catalogue.list_workshops()[-1].id == "sleep"
    place = load_instructions().get_wayfinding("wang")
    assert place.phone is not None
    assert place.phone.text == "555-0100"
    assert load_instructions().services["spine-evaluation"].arrive is not None
    assert load_instructions().get_guidance(catalogue.get_service("spine-evaluation")).arrive.minutes == 20


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[[add.kinds]]\nid = "odd"\nname = "odd"\npathway = "nowhere"', "kinds[32].pathway"),
        ('[[add.kinds]]\nid = "follow-up"\nname = "again"\npathway = "follow-up"', "kinds[32].id"),
        ("[[add.songs]]\nid = 1", "songs"),
    ],
)
def test_what_is_wrong_with_a_kind_is_named(own: Callable[[str], Any], text: str, path: str) -> None:
    own(text)
    with pytest.raises(InvalidFile) as refused:
        catalogue.list_kinds()
    assert path in [fault.path for fault in refused.value.faults]


def list_changes() -> Iterator[tuple[str, str, Any]]:
    """Yield every number and text of the shipped services, pathways, workshops, roles and kinds: section, id and key."""
    shipped = Path(catalogue.__file__).parent
    for name in ("services.toml", "clinic.toml", "kinds.toml"):
        for section, entries in tomllib.loads((shipped / name).read_text("utf-8")).items():
            if isinstance(entries, list):
                ids = [entry.get("id") for entry in entries]
                for entry in entries:
                    if None not in ids and len(ids) == len(set(ids)):
                        yield from ((f"{section}.{entry['id']}", key, value) for key, value in entry.items())


def test_every_number_and_text_of_the_shipped_catalogue_can_be_changed_by_a_file(own: Callable[[str], Any]) -> None:
    changes = [
        (table, key, value + 15 if isinstance(value, int) else f"own {value}")
        for table, key, value in list_changes()
        if (isinstance(value, int) and not isinstance(value, bool) and key != "attention") or key == "name"
    ]
    assert len(changes) > 230
    tables: dict[str, list[str]] = {}
    for table, key, value in changes:
        tables.setdefault(table, []).append(f"{key} = {value!r}".replace("'", '"') if "'" not in str(value) else "")
    own("\n".join(f"[{table}]\n" + "\n".join(lines) for table, lines in tables.items()))
    entries = {
        **{f"services.{entry.id}": entry for entry in catalogue.list_services()},
        **{f"workshops.{entry.id}": entry for entry in catalogue.list_workshops()},
        **{f"roles.{entry.id}": entry for entry in catalogue.list_roles()},
        **{f"kinds.{entry.id}": entry for entry in catalogue.list_kinds()},
    }
    for table, key, value in changes:
        if table in entries and "'" not in str(value):
            assert getattr(entries[table], key) == value, (table, key)
