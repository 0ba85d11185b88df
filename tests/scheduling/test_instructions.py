"""What patients are told, as data."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from support.factories import clinic
from support.factories import scenario as made
from support.factories import service as offered

from scheduling.clinic import Service
from scheduling.errors import InvalidFile
from scheduling.instructions import Advice, Instructions, load_instructions
from scheduling.scenario import Scenario

MINIMAL = """
[sources]
ours = "here"
[unspoken]
source = "ours"
words = []
[default]
arrive = { minutes = 5, source = "ours" }
companion = { text = "Come alone or not.", source = "ours" }
hold = []
bring = [{ text = "A list.", source = "ours" }]
[default_procedure]
[families.quick]
services = ["dressing"]
also_bring = [{ text = "Socks.", source = "ours" }]
[services.dressing]
arrive = { minutes = 0, source = "ours" }
also_bring = [{ text = "Shoes.", source = "ours" }]
[places]
"""


@pytest.fixture
def scenario() -> Scenario:
    """Build a scenario whose clinic offers services that the catalogue's instructions know."""
    return made(
        clinic=clinic(
            offered("epidural-steroid-injection", attention=2, recovery=45),
            offered("cancer-consult"),
            offered("behavioral-group"),
        )
    )


def service(scenario: Scenario, **changes: object) -> Service:
    return scenario.services["cancer-consult"].changed(**changes)


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        Instructions.parse(text.encode())
    return [str(fault) for fault in caught.value.faults]


def test_an_injection_asks_for_a_driver_and_early_arrival(scenario: Scenario) -> None:
    told = load_instructions().get_guidance(scenario.services["epidural-steroid-injection"])
    assert told.arrive.minutes == 30
    assert "drives you home" in told.companion.text
    assert any("blood thinner" in hold.text for hold in told.hold)


def test_a_behavioral_visit_welcomes_a_companion_as_the_clinic_says(scenario: Scenario) -> None:
    told = load_instructions().get_guidance(service(scenario, id="behavioral-intake"))
    assert (told.companion.source, "welcome" in told.companion.text) == ("clinic", True)


def test_a_group_does_not_invite_companions(scenario: Scenario) -> None:
    assert "ask us first" in load_instructions().get_guidance(scenario.services["behavioral-group"]).companion.text


def test_everybody_brings_the_list_the_records_and_the_notes(scenario: Scenario) -> None:
    said = " ".join(told.text for told in load_instructions().get_guidance(service(scenario, id="something-new")).bring)
    for word in ("medicines", "vitamins", "supplements", "dose", "records", "consultations", "CD", "treatments"):
        assert word in said


@pytest.mark.parametrize(("attention", "recovery", "minutes"), [(1, 0, 15), (2, 0, 30), (1, 20, 30)])
def test_an_unknown_service_is_treated_as_a_visit_or_a_procedure(
    scenario: Scenario, attention: int, recovery: int, minutes: int
) -> None:
    unknown = service(scenario, id="something-new", attention=attention, recovery=recovery)
    assert load_instructions().get_guidance(unknown).arrive.minutes == minutes


def test_a_service_of_a_family_is_what_its_family_says_however_it_is_done(scenario: Scenario) -> None:
    known = service(scenario, id="follow-up", attention=2, recovery=20)
    assert load_instructions().get_guidance(known).arrive.minutes == 15


def test_nobody_is_told_to_stop_a_blood_thinner() -> None:
    layers: list[Advice] = [
        load_instructions().default_procedure,
        *load_instructions().families.values(),
        *load_instructions().services.values(),
    ]
    for told in (told for layer in layers for told in layer.hold or ()):
        if "blood thinner" in told.text:
            assert "Never stop it on your own" in told.text or "call us if you are unsure" in told.text


def test_every_number_that_is_not_the_clinics_is_marked_as_ours() -> None:
    data = load_instructions()
    arrivals = [layer.arrive for layer in (data.default, *data.families.values(), *data.services.values()) if layer.arrive]
    assert {arrive.source for arrive in arrivals} == {"ours"}
    assert set(data.sources) == {"clinic", "ours"}


def test_no_advice_is_for_a_service_that_no_family_lists() -> None:
    data = load_instructions()
    assert set(data.services) <= {name for family in data.families.values() for name in family.services}


def test_the_families_list_every_service_of_the_catalogue_and_no_other() -> None:
    catalogue = tomllib.loads(files("scheduling").joinpath("catalogue/services.toml").read_text())
    listed = sorted(name for family in load_instructions().families.values() for name in family.services)
    assert listed == sorted(entry["id"] for entry in catalogue["services"])


def test_an_unknown_place_says_nothing() -> None:
    assert load_instructions().get_wayfinding("elsewhere").phone is None
    assert load_instructions().get_wayfinding("wang").phone is not None


def test_the_nearest_layer_speaks_and_what_to_bring_adds_up(scenario: Scenario) -> None:
    told = Instructions.parse(MINIMAL.encode()).get_guidance(service(scenario, id="dressing", attention=2))
    assert told.arrive.minutes == 0
    assert [each.text for each in told.bring] == ["A list.", "Shoes.", "Socks."]
    assert told.hold == ()


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(MINIMAL)
    assert Instructions.read(path) == Instructions.parse(MINIMAL.encode())


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (MINIMAL.replace("hold = []\n", ""), "the default says nothing of: hold"),
        (MINIMAL + '[families.slow]\nservices = ["dressing"]\n', "in more than one family: dressing"),
        (MINIMAL.replace('minutes = 5, source = "ours"', "minutes = 5"), "default.arrive.source: missing"),
        (MINIMAL.replace("minutes = 5", "minutes = -5"), "default.arrive.minutes: must be greater than or equal to 0"),
        (MINIMAL.replace("hold = []", "holds = []"), "default.holds: unknown key"),
    ],
)
def test_a_faulty_file_is_refused_by_the_path_of_its_fault(wrong: str, fault: str) -> None:
    assert faults(wrong)[0] == fault


def test_a_file_that_is_no_toml_or_is_missing_is_refused(tmp_path: Path) -> None:
    assert faults("arrive = ")
    with pytest.raises(InvalidFile):
        Instructions.read(tmp_path / "none.toml")
