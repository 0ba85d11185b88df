"""A clinic's own values: single ones change, all others stay, and what names nothing is named by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scheduling import catalogue
from scheduling.catalogue.sources import VARIABLE
from scheduling.errors import InvalidFile

Written = Callable[[str], Path]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Write a clinic's own file, and put it in force."""

    def write(text: str) -> Path:
        file = tmp_path / "own.toml"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setenv(VARIABLE, str(file))
        catalogue.clear_caches()
        return file

    yield write
    monkeypatch.delenv(VARIABLE, raising=False)
    catalogue.clear_caches()


def test_single_values_change_and_say_whose_they_are(own: Written):
    file = own(
        """
        [services.spine-evaluation]
        minutes = 45
        [pathways.spinal-cord-stimulation.steps.trial]
        due_days = 9
        [limits]
        chronic_due_days = 14
        [policy.late_per_day]
        routine = 6
        """
    )
    offer = catalogue.get_service("spine-evaluation")
    assert (offer.minutes, offer.source, offer.attention) == (45, str(file), 1)
    assert catalogue.get_pathway("spinal-cord-stimulation").step("trial").due_days == 9
    assert catalogue.get_limits().due_days("chronic") == catalogue.get_pathway("new-patient-chronic").steps[0].due_days == 14
    late = catalogue.get_policy().late_per_day
    assert (late.routine, late.soon) == (6, 12)
    assert catalogue.get_service("follow-up").source == "ours"


def test_a_weight_that_is_one_number_is_written_as_it(own: Written):
    own("[policy]\nextra_trip = 3\n")
    assert (catalogue.get_policy().extra_trip, catalogue.get_policy().site_change) == (3, 15)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("[services.massage]\nminutes = 30", "services.massage", "unknown id"),
        ("[massages]\nminutes = 30", "massages", "unknown section"),
        ("[limits]\nnever = 3", "limits.never", "unknown key"),
        ("[pathways.work-injury.steps.singing]\ndue_days = 1", "pathways.work-injury.steps.singing", "unknown id"),
        ("[services.follow-up]\nminutes = 0", "services[1].minutes", "must be greater than or equal to 1"),
        ("[services.follow-up]\nlenght = 20", "services[1].lenght", "unknown key"),
        ('[services.follow-up]\nlocations = ["yawkey"]\nroom = { kind = "gym", features = [] }', "services[1].room", "none at"),
        (
            "[pathways.physical-therapy.steps.session]\nevery = { min_days = 9, max_days = 5 }",
            "pathways[10].steps[0].every.max_days",
            "is below min_days 9",
        ),
        ("services = [", "", "Invalid"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(own: Written, text: str, path: str, message: str):
    own(text)
    with pytest.raises(InvalidFile) as refused:
        everything = (catalogue.list_services(), catalogue.get_limits(), catalogue.list_pathways())
        assert everything == ()
    found = [(fault.path, fault.message) for fault in refused.value.faults]
    assert any(path == at and message in why for at, why in found), found


def test_a_file_that_is_not_there_is_named(own: Written, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, "/nowhere/own.toml")
    catalogue.clear_caches()
    with pytest.raises(InvalidFile, match=r"/nowhere/own\.toml"):
        catalogue.get_limits()
