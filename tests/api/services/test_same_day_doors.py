"""By whatever door a patient of the day comes, they are taken in and then placed, and the audit says both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster
from typer.testing import CliRunner

from api.cli.commands import intake
from api.cli.main import app
from api.store.audit import list_entries

KIND, SERVICE = "cancer-outpatient", "cancer-consult"
SHEET = f"kind,patient,name\n{KIND},mrn-1,Robin\n"


@pytest.fixture
def desk(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrontDesk]:
    """Return a desk on the Monday of a week that is built, at eight."""
    with front_desk(sqlite_url, last_week(), None, FRIDAY_AFTER) as desk:
        assert desk.ask("PUT", "/v1/roster", json.loads(roster(10))).status_code == 200
        assert desk.ask("POST", "/v1/weeks", {"weeks": 1}).status_code == 201
        desk.clock.now = datetime(2026, 12, 14, 13, tzinfo=UTC)
        monkeypatch.setattr(intake, "opened", lambda: nullcontext(desk.context))
        yield desk


def refer(desk: FrontDesk) -> None:
    body = {"patient": "mrn-1", "service": SERVICE, "new_patient": {"name": "Robin", "allowed_sites": ["boston"]}}
    assert desk.ask("POST", "/v1/referrals", body).json()["booking"] is not None


def take_in(desk: FrontDesk) -> None:
    body = {"kind": KIND, "patient": "mrn-1", "name": "Robin"}
    assert desk.ask("POST", "/v1/intake", body).json()["today"]["place"] is not None


def send_sheet(desk: FrontDesk) -> None:
    headers = desk.scheduler | {"Content-Type": "application/octet-stream"}
    answer = desk.client.post("/v1/intake/spreadsheets", content=SHEET.encode(), headers=headers)
    assert answer.status_code == 201, answer.text


def add_at_the_terminal(desk: FrontDesk) -> None:
    ran = CliRunner().invoke(app, ["intake", "add", KIND, "mrn-1", "--name", "Robin"])
    assert ran.exit_code == 0, ran.output


@pytest.fixture
def import_at_the_terminal(tmp_path: Path) -> Callable[[FrontDesk], None]:
    file = tmp_path / "referrals.csv"
    file.write_text(SHEET, encoding="utf-8")

    def import_sheet(desk: FrontDesk) -> None:
        ran = CliRunner().invoke(app, ["intake", "import", str(file)])
        assert ran.exit_code == 0, ran.output

    return import_sheet


def audited(desk: FrontDesk) -> list[tuple[str, dict[str, object]]]:
    """Return what the audit says was done to the patient, and to the visit of theirs."""
    with desk.context.database.reading() as session:
        rows = list_entries(session, count=1000)
    written = [(row.action, dict(row.detail)) for row in rows if row.action in ("patient.add", "intake.take", "visit.refer")]
    for _, detail in written:
        detail.pop("episode", None)
    return written


WRITTEN = [("patient.add", {}), ("intake.take", {"kind": KIND}), ("visit.refer", {"patient": "mrn-1", "placed": True})]


@pytest.mark.parametrize("door", [refer, take_in, send_sheet, add_at_the_terminal])
def test_a_new_patient_of_the_day_is_added_taken_in_and_placed(desk: FrontDesk, door: Callable[[FrontDesk], None]) -> None:
    assert audited(desk) == []
    door(desk)
    assert audited(desk) == WRITTEN


def test_a_sheet_at_the_terminal_does_the_same(desk: FrontDesk, import_at_the_terminal: Callable[[FrontDesk], None]) -> None:
    import_at_the_terminal(desk)
    assert audited(desk) == WRITTEN


def test_who_is_known_is_taken_in_and_not_added_again(desk: FrontDesk) -> None:
    assert desk.ask("POST", "/v1/intake", {"kind": "follow-up", "patient": "mrn-1", "name": "Robin"}).status_code == 201
    before = len(audited(desk))
    assert desk.ask("POST", "/v1/referrals", {"patient": "mrn-1", "service": SERVICE}).status_code == 201
    assert audited(desk)[before:] == WRITTEN[1:]


def test_who_is_refused_leaves_nothing_in_the_audit(desk: FrontDesk) -> None:
    take_in(desk)
    before = audited(desk)
    assert desk.ask("POST", "/v1/referrals", {"patient": "mrn-1", "service": SERVICE}).status_code == 409
    assert desk.ask("POST", "/v1/intake", {"kind": KIND, "patient": "mrn-1"}).status_code == 422
    assert audited(desk) == before
