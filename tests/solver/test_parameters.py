"""Parameters of a search: read strictly from TOML, frozen, and heard."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.factories import provider, scenario, shift, visit

from scheduling.errors import InvalidFile
from solver import Limits, SolverParameters, solve


def read(folder: Path, text: str) -> SolverParameters:
    (folder / "parameters.toml").write_text(text)
    return SolverParameters.read(folder / "parameters.toml")


def test_a_file_names_only_what_differs(tmp_path: Path) -> None:
    given = read(tmp_path, "exact_max_options = 7\n[annealing]\ninitial_temperature = 1\n")
    assert (given.exact_max_options, given.annealing.initial_temperature) == (7, 1.0)
    assert given.annealing.final_temperature == SolverParameters().annealing.final_temperature
    assert read(tmp_path, "") == SolverParameters()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("exact_max_option = 7", "exact_max_option"),
        ("exact_max_options = -1", "exact_max_options"),
        ("exact_max_options = 7.5", "exact_max_options"),
        ("[annealing]\ntime_share = 1.1", "annealing.time_share"),
        ("[annealing]\nfinal_temperature = 7", "annealing"),
        ("[neighbourhoods]\nmin_size = 50", "neighbourhoods"),
        ("[bound]\nwait_seconds = nan", "bound.wait_seconds"),
        ("no toml", ""),
    ],
)
def test_a_bad_file_is_refused_with_the_name_of_what_is_wrong(tmp_path: Path, text: str, path: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(tmp_path, text)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_parameters_are_frozen() -> None:
    with pytest.raises(ValidationError):
        SolverParameters().exact_max_options = 7  # type: ignore[misc]


@pytest.mark.parametrize(("most", "is_exact"), [(10_000, True), (0, False)])
def test_parameters_decide_how_a_scenario_is_solved(monkeypatch: pytest.MonkeyPatch, most: int, is_exact: bool) -> None:
    phases: list[str] = []
    solving = import_module("solver.solve")
    monkeypatch.setattr(solving, "relax", lambda *_: solving.Relaxation({}, {}))
    monkeypatch.setattr(solving, "solve_exactly", lambda *_: phases.append("exact"))
    monkeypatch.setattr(solving, "decompose", lambda *_: phases.append("decomposed"))
    visits = (visit(f"v{number}", name) for number, name in enumerate(("pat", "quin", "rae")))
    full = scenario(*visits, providers=[provider("ana", shifts=[shift("MO 08:00", "09:00")])])
    solve(full, Limits(2, 1, deterministic=True), parameters=SolverParameters(exact_max_options=most))
    assert phases == (["exact", "decomposed"] if is_exact else ["decomposed"])
