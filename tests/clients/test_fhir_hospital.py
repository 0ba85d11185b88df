"""A hospital's system that nobody here wrote finds, holds, books, moves and cancels by FHIR (IHE ITI-115 to ITI-117)."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from clients.peers import MONDAY, NAMES, Demo

SCENARIO = Path(__file__).parent / "scenarios" / "ihe.yaml"


@pytest.fixture
def settings(demo: Demo, tmp_path: Path) -> Path:
    """Return the settings of a system that knows the clinic by two names."""

    def describe(name: str, algorithm: str) -> dict[str, Any]:
        key = demo.write_key(name, tmp_path)
        auth = {"type": "smart", "client_id": name, "private_key_path": str(key), "kid": demo.keys[name].kid, "alg": algorithm}
        return {"base_url": demo.base, "auth": {**auth, "scope": "system/*.read system/*.write"}}

    told = {"data_dir": str(tmp_path), "peers": {"cw": describe(NAMES[0], "RS384"), "other": describe(NAMES[1], "ES384")}}
    file = tmp_path / "settings.yaml"
    file.write_text(json.dumps(told))
    return file


def run(peers: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([peers / "sekmet", *options], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_it_reads_what_we_can_do_and_gets_a_token(peers: Path, settings: Path) -> None:
    for name in ("cw", "other"):
        ran = run(peers, settings.parent, "peers", "test", name, "--config", str(settings))
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_finds_holds_books_moves_and_cancels(peers: Path, settings: Path, demo: Demo) -> None:
    variables = {
        "start": MONDAY.isoformat(),
        "end": (MONDAY + timedelta(days=4)).isoformat(),
        "service": min(visit.service for visit in demo.week.visits),
    }
    told = [text for name, value in variables.items() for text in ("--var", f"{name}={value}")]
    ran = run(peers, settings.parent, "scenario", "run", str(SCENARIO), "--peer", "cw", *told, "--config", str(settings))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    reports = [json.loads(file.read_text()) for file in settings.parent.glob("reports/**/*.json")]
    statuses = [step["status"] for report in reports for scenario in report for step in scenario["steps"]]
    assert statuses == ["passed"] * len(yaml.safe_load(SCENARIO.read_text())["steps"])
