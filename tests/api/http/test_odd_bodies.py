"""JSON that no program of sense sends, to every route that takes a body: each is refused or taken, none is a defect."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.samples import OWN, SAMPLES, named, world

from api.access.actor import AccessRole
from api.access.table import ACCESS

LEAST = 2_000

VALUES = (
    *("null", "true", "-0", "1e308", "1e999", "-1", "9" * 400, "0.1", "9223372036854775808", "NaN", "Infinity"),
    *('""', '"\\u0000"', '"\\ud800"', '"\\u202e\\ufeff"', '"=1+1"', '"../../x"', '"0001-01-01T00:00:00Z"', '"9999-12-31"'),
    *("[]", "{}", "[[]]", '{"": {}}', "[" * 5_000, '{"a":' * 5_000, '"' + "a" * 70_000 + '"', '{"id": 1, "id": "b"}'),
)


def odd_bodies(body: Any) -> Iterator[bytes]:
    """Yield each odd value in the place of a good body, and of each part of it; the good body with a key doubled."""
    text = json.dumps(body)
    yield from (value.encode() for value in VALUES)
    if isinstance(body, dict):
        for number, (key, part) in enumerate(body.items()):
            whole = json.dumps({**body, key: "HERE"})
            yield from (whole.replace('"HERE"', value).encode() for value in VALUES[number % 3 :: 3])
            yield f"{text[:-1]}, {json.dumps(key)}: {json.dumps([part])}}}".encode()
        yield json.dumps({**body, "unheard of": 1}).encode()
    yield text.encode("utf-16")
    yield text.encode() + b"\xff"


@pytest.mark.heavy
def test_odd_json_is_no_defect_at_any_route(migrated_file: Path, tmp_path: Path) -> None:
    count = 0
    shutil.copyfile(migrated_file, tmp_path / "store.db")
    with world(f"sqlite:///{tmp_path}/store.db") as here:
        ids, wrong = {**here.ids, **OWN}, []
        for line in ACCESS:
            sample = SAMPLES.get((line.method, line.path))
            if sample is None or line.method in ("GET", "DELETE") or isinstance(sample.body, bytes) or sample.body is None:
                continue
            known = {**dict.fromkeys(line.named_in_path, "x"), **ids}
            path = line.path.format_map(known)
            role = next((role for role in (AccessRole.ADMIN, AccessRole.SCHEDULER, *AccessRole) if role in line.roles), None)
            headers = here.headers(role, OWN) | {"Content-Type": "application/json", "If-Match": '"1"'}
            try:
                good = named(sample.body, known)
            except (KeyError, ValueError):
                good = sample.body
            for body in odd_bodies(good):
                answer = here.desk.client.request(line.method, path, content=body, headers=headers)
                count += 1
                if answer.status_code >= 500:
                    wrong.append((line.method, path, body[:100], answer.status_code))
    assert not wrong, {(method, path) for method, path, _, _ in wrong}
    assert count >= LEAST


@pytest.mark.parametrize(
    ("text", "is_half"), [(r"\ud800", True), (r"\udc00\ud800", True), (r"\ud83d\ude00", False), (r"\\ud800", False)]
)
def test_half_of_a_surrogate_pair_is_refused(client: TestClient, as_role: Any, text: str, is_half: bool) -> None:
    body = f'{{"name": "{text}", "role": "scheduler", "password": "staple battery horse"}}'
    headers = as_role("admin") | {"Content-Type": "application/json"}
    answer = client.post("/v1/accounts", content=body, headers=headers)
    assert answer.status_code in (201, 422)
    assert ("half of a surrogate pair" in answer.text) is is_half
