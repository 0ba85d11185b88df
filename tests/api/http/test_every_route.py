"""Every route, by every role and nobody, on own and foreign objects, ids in bodies included: exactly the access table.

It walks the table, so a route that is added is held against it too, once ``tests/support/samples.py`` has a request for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import Session, select
from support.frontdesk import Headers
from support.samples import FOREIGN, OWN, SAMPLES, Ids, Sample, World, named, world
from support.service import denials

from api.access.actor import AccessRole
from api.access.owners import OWNERS
from api.access.table import ACCESS, Access, Scope
from api.http import gate
from api.store.columns import TableRow
from api.store.database import Database
from api.store.queries import periods, plans
from scheduling.plan import Plan
from scheduling.scenario import Scenario

GUARDED = [line for line in ACCESS if not line.public]
REFUSED = (401, 403)


@dataclass(frozen=True)
class Case:
    """Who asks, for which ids in the path and in the body, and whether the table lets them."""

    role: AccessRole | None
    path: Ids
    body: Ids
    allowed: bool


def sample_of(line: Access) -> Sample:
    """Return the request of a line, or fail with what is to be done."""
    found = SAMPLES.get((line.method, line.path))
    if found is None:
        pytest.fail(f"{line.method} {line.path} has no request in SAMPLES of tests/support/samples.py: add one")
    return found


def cases(line: Access, body: Any, own: Ids, foreign: Ids) -> Iterator[Case]:
    """Yield every role and nobody with own ids, then with one foreign id at a time."""
    foreign = {**foreign, **part(own, "foreign")}
    theirs = [kind for kind in line.named_in_path if kind in OWNERS]
    within = [kind.format_map(body) for _, kind in line.body]
    for role in (None, *AccessRole):
        whose = None if role is None else line.roles.get(role)
        ids = own if role is None else {**own, **part(own, role)}
        yield Case(role, ids, ids, whose is not None)
        for kind in theirs:
            yield Case(role, {**ids, kind: foreign[kind]}, ids, whose is Scope.ANY)
        for kind in within:
            yield Case(role, ids, {**ids, kind: foreign[kind]}, whose is Scope.ANY)


def part(ids: Ids, whose: str) -> Ids:
    """Return those ids that are somebody's: ``visit`` for ``foreign/visit``."""
    return {name.removeprefix(f"{whose}/"): one for name, one in ids.items() if name.startswith(f"{whose}/")}


def ask(here: World, line: Access, sample: Sample, case: Case, headers: Headers) -> Any:
    """Send the request of a line as a case has it."""
    if sample.version_of:
        role = AccessRole.SYSTEM if reads_only_by_systems(sample.version_of) else AccessRole.SCHEDULER
        who = here.headers(AccessRole.ADMIN if "account" in sample.version_of else role, case.path)
        tag = here.desk.ask("GET", sample.version_of.format_map(case.path), headers=who).headers.get("etag", "")
        headers = {**headers, "If-Match": tag}
    path = (line.path + sample.query).format_map(case.path)
    if isinstance(sample.body, bytes):
        kind = "text/calendar" if sample.body.startswith(b"BEGIN:VCALENDAR") else "application/octet-stream"
        headers = {**headers, "content-type": kind}
        return here.desk.client.request(line.method, path, content=sample.body, headers=headers)
    return here.desk.ask(line.method, path, named(sample.body, case.body), headers)


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row but those of the audit, and of when a credential was last used."""
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.exec(select(*(one for one in table.columns if one.name != "last_used_at")))))
            for table in TableRow.metadata.sorted_tables
            if table.name != "audit"
        }


def hold_against_the_table(here: World, line: Access) -> None:
    """Send every refused case, each of which must change nothing, then every allowed one."""
    sample, database = sample_of(line), here.desk.context.database
    made = sample.prepare(here) if sample.prepare else {}
    own = {**OWN, **here.ids, **sample.own, **made}
    foreign = {**FOREIGN, **sample.foreign}
    if unknown := set(line.named_in_path) - own.keys():
        pytest.fail(f"{line.method} {line.path}: say in tests/support/samples.py which {', '.join(unknown)} is meant")
    every = list(cases(line, sample.body, own, foreign))
    for case in (one for one in every if not one.allowed):
        headers = here.headers(case.role, own)
        before, denied = dump(database), len(denials(database))
        answer = ask(here, line, sample, case, headers)
        assert answer.status_code == (401 if case.role is None else 403), (case, answer.text)
        assert len(denials(database)) == denied + 1, case
        assert dump(database) == before, case
    # Those who may at their own objects come first: whoever may at any ends some of them.
    allowed = sorted((one for one in every if one.allowed), key=lambda one: line.roles[AccessRole(str(one.role))] is Scope.ANY)
    answers = [ask(here, line, sample, case, here.headers(case.role, own)) for case in allowed]
    assert [answer.status_code for answer in answers if answer.status_code in REFUSED] == [], [one.text for one in answers]
    status = answers[0].status_code
    assert status == sample.status or (sample.status is None and status < 300), (
        f"not answered well, see tests/support/samples.py: {answers[0].text}"
    )
    expect_versions_tell_all(here)


def expect_versions_tell_all(here: World) -> None:
    """Hold what readers are given, kept by version, against what the rows say now."""
    database = here.desk.context.database
    with database.writing() as rows:
        fresh = standings(rows)
    with database.reading() as rows:
        assert standings(rows) == fresh


def standings(rows: Session) -> list[tuple[Scenario, Plan]]:
    """Return what every period asks for, and what stands of it."""
    asked = [periods.load_scenario(rows, period.id) for period in periods.list_periods(rows)]
    return [(one, plans.load_standing_plan(rows, one)) for one in asked]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.heavy)])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


def reads_only_by_systems(path: str) -> bool:
    """Return whether a path is one that only hospital systems may read."""
    return path.startswith("/fhir/")


def reads_only(line: Access) -> bool:
    """Return whether a line reads what a hospital system looks for, so that several can share one world."""
    return line.path.startswith("/fhir/") and (line.method == "GET" or line.path.endswith("/_search"))


FEW = 12


def share_worlds() -> list[list[Access]]:
    """Return the lines that only read, a few for each world: one address may guess only so often."""
    reading = [[line for line in GUARDED if reads_only(line) and sample_of(line).months is months] for months in (False, True)]
    return [lines[first : first + FEW] for lines in reading for first in range(0, len(lines), FEW)]


@pytest.mark.parametrize("lines", share_worlds(), ids=lambda lines: lines[0].path)
def test_hospital_systems_and_nobody_else_read_resources(url: str, lines: list[Access]) -> None:
    with world(url, sample_of(lines[0]).months) as here:
        for line in lines:
            hold_against_the_table(here, line)


@pytest.mark.parametrize(
    "line", [line for line in GUARDED if not reads_only(line)], ids=lambda line: f"{line.method} {line.path}"
)
def test_each_role_may_do_exactly_what_the_table_says_on_its_own_and_on_foreign_objects(url: str, line: Access) -> None:
    with world(url, sample_of(line).months) as here:
        hold_against_the_table(here, line)


def test_every_request_is_of_a_route() -> None:
    assert set(SAMPLES) <= {(line.method, line.path) for line in GUARDED}


def line_of(method: str, path: str) -> Access:
    return next(line for line in GUARDED if (line.method, line.path) == (method, path))


@pytest.mark.parametrize("path", ["/v1/visits/{visit}/booking", "/v1/referrals"])
def test_without_the_question_whose_it_is_a_foreign_object_is_reached(
    sqlite_url: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = line_of("DELETE" if "visit" in path else "POST", path)
    monkeypatch.setattr(gate, "is_own", lambda *_: True)
    with world(sqlite_url) as here, pytest.raises(AssertionError):
        hold_against_the_table(here, line)


def test_a_refused_request_that_changes_something_is_found(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deny = getattr(gate, "_deny")  # noqa: B009

    def careless(context: Any, *given: Any) -> None:
        deny(context, *given)
        with context.database.writing() as session:
            periods.touch(session, "test-week")

    monkeypatch.setattr(gate, "_deny", careless)
    with world(sqlite_url) as here, pytest.raises(AssertionError, match="role"):
        hold_against_the_table(here, line_of("GET", "/v1/plans"))


def test_a_change_without_a_new_version_is_found(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(sqlite_url) as here:
        expect_versions_tell_all(here)
        monkeypatch.setattr(periods, "touch", lambda *_: None)
        known = {"If-Match": here.desk.version("own")}
        assert here.desk.ask("PUT", "/v1/visits/own/pin", headers=here.desk.scheduler | known).status_code == 200
        with pytest.raises(AssertionError):
            expect_versions_tell_all(here)
