"""How programs of hospital systems come in: by what they have signed, once, and for what they may."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from support.clients import HOSPITAL, KEY, OTHER_KEY, key_set, sign
from support.hospital import Hospital
from support.service import bearer, denials

from api.runtime.fetching import Fetched, Fetcher
from api.services.accounts.accounts import SYSTEM
from api.services.accounts.client_keys import fetch_key_set
from api.services.accounts.clients import (
    ASSERTION_TYPE,
    TokenRefused,
    TokenRequest,
    add_client,
    end_client,
    expand_scopes,
    give_token,
    write_scopes,
)
from api.store.errors import AlreadyThere
from scheduling.errors import InvalidFile

AUDIENCE = "http://127.0.0.1:8000/oauth/token"
Claims = dict[str, Any]


def claims_of(hospital: Hospital, **more: Any) -> Claims:
    """Return what a client says of itself; None leaves a claim out."""
    now = hospital.desk.clock().timestamp()
    usual = {"iss": HOSPITAL, "sub": HOSPITAL, "aud": AUDIENCE, "exp": now + 240, "jti": "one"}
    return {name: value for name, value in (usual | more).items() if value is not None}


def request_token(hospital: Hospital, assertion: str, scope: str = "system/Appointment.rs", **more: str) -> Any:
    """Ask for a token."""
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return hospital.desk.client.post(
        "/oauth/token",
        content=urlencode(form | {"scope": scope} | more),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


def test_a_signed_assertion_gives_a_token_for_some_minutes(hospital: Hospital) -> None:
    answer = request_token(hospital, sign(claims_of(hospital)), "system/Appointment.rs system/Patient.read system/Device.r")
    assert answer.status_code == 200, answer.text
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("bearer", 300)
    assert token["scope"] == "system/Appointment.rs system/Patient.rs"
    assert answer.headers["cache-control"] == "no-store"
    client, headers = hospital.desk.client, bearer(token["access_token"])
    assert client.get("/fhir/r4/Appointment/own", headers=headers).status_code == 200
    assert client.get("/fhir/r4/Location", headers=headers).status_code == 403
    assert client.get("/v1/scenarios", headers=headers).status_code == 403
    hospital.desk.clock.pass_by(seconds=301)
    assert client.get("/fhir/r4/Appointment/own", headers=headers).status_code == 401


def test_rsa_does_too(hospital: Hospital) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
    with hospital.desk.context.database.writing() as session:
        add_client(session, SYSTEM, "other", key_set(key), ["system/*.read"], hospital.desk.clock())
    assertion = sign(claims_of(hospital, iss="other", sub="other"), key, alg="RS384")
    assert request_token(hospital, assertion).status_code == 200


SHARED = OctKey.import_key("a secret that two know, and that is long enough for HS256", {"kid": "first"})
SMALL = ECKey.generate_key("P-256", {"kid": "first"}, private=True)

BAD: dict[str, Callable[[Hospital], str]] = {
    "none": lambda hospital: "eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ.eyJpc3MiOiJob3NwaXRhbCJ9.",
    "hs256": lambda hospital: sign(claims_of(hospital), SHARED, alg="HS256"),  # type: ignore[arg-type]
    "es256": lambda hospital: sign(claims_of(hospital), SMALL, alg="ES256"),
    "an hour": lambda hospital: sign(claims_of(hospital, exp=hospital.desk.clock().timestamp() + 3600)),
    "past": lambda hospital: sign(claims_of(hospital, exp=hospital.desk.clock().timestamp() - 60)),
    "no exp": lambda hospital: sign(claims_of(hospital, exp=None)),
    "audience": lambda hospital: sign(claims_of(hospital, aud="https://elsewhere.example/token")),
    "subject": lambda hospital: sign(claims_of(hospital, sub="other")),
    "no jti": lambda hospital: sign(claims_of(hospital, jti=None)),
    "unknown kid": lambda hospital: sign(claims_of(hospital), KEY, kid="second"),
    "jku": lambda hospital: sign(claims_of(hospital), KEY, jku="https://evil.example/keys"),
    "foreign key": lambda hospital: sign(claims_of(hospital), OTHER_KEY),
    "unknown": lambda hospital: sign(claims_of(hospital, iss="nobody", sub="nobody")),
    "future": lambda hospital: sign(claims_of(hospital, nbf=hospital.desk.clock().timestamp() + 100)),
    "no text": lambda hospital: "x.y.z",
    "long": lambda hospital: "x" * 9_000,
}


def test_what_does_not_prove_who_it_is_gets_none(hospital: Hospital) -> None:
    for name, make in BAD.items():
        answer = request_token(hospital, make(hospital))
        assert (answer.status_code, answer.json().get("error")) == (400, "invalid_client"), name
    assert len(denials(hospital.desk.context.database)) == len(BAD)
    assert request_token(hospital, sign(claims_of(hospital))).status_code == 200


def test_an_assertion_counts_once(hospital: Hospital) -> None:
    assertion = sign(claims_of(hospital))
    assert request_token(hospital, assertion).status_code == 200
    assert request_token(hospital, assertion).json()["error"] == "invalid_client"
    assert request_token(hospital, sign(claims_of(hospital, jti="two"))).status_code == 200


def test_no_more_is_given_than_asked_for_and_registered(hospital: Hospital) -> None:
    with hospital.desk.context.database.writing() as session:
        add_client(session, SYSTEM, "narrow", key_set(), ["system/Appointment.r"], hospital.desk.clock())
    claims = claims_of(hospital, iss="narrow", sub="narrow")
    assert request_token(hospital, sign(claims), "system/Patient.r").json()["error"] == "invalid_scope"
    granted = request_token(hospital, sign(claims | {"jti": "two"}), "system/*.crus").json()
    assert granted["scope"] == "system/Appointment.r"


def test_who_is_ended_comes_in_no_more(hospital: Hospital) -> None:
    token = request_token(hospital, sign(claims_of(hospital))).json()["access_token"]
    with hospital.desk.context.database.writing() as session:
        end_client(session, SYSTEM, HOSPITAL, hospital.desk.clock())
    assert hospital.desk.client.get("/fhir/r4/Patient", headers=bearer(token)).status_code == 401
    assert request_token(hospital, sign(claims_of(hospital, jti="two"))).json()["error"] == "invalid_client"


def test_another_grant_or_form_gives_none(hospital: Hospital) -> None:
    assertion = sign(claims_of(hospital))
    assert request_token(hospital, assertion, grant_type="password").json()["error"] == "unsupported_grant_type"
    assert request_token(hospital, assertion, client_assertion_type="basic").json()["error"] == "invalid_client"


def test_scopes_of_both_versions_are_understood() -> None:
    assert expand_scopes(["system/Appointment.read"]) == expand_scopes(["system/Appointment.rs"])
    assert expand_scopes(["system/Appointment.*", "system/Patient.write"]) == {
        *(f"Appointment.{letter}" for letter in "crus"),
        "Patient.c",
        "Patient.u",
    }
    assert expand_scopes(["patient/Appointment.rs", "system/Device.rs", "system/Appointment.", "openid"]) == frozenset()
    assert write_scopes({"Patient.u", "Patient.c"}) == ("system/Patient.cu",)


def test_a_client_without_good_keys_or_scopes_is_refused(hospital: Hospital) -> None:
    good = {"identifier": "second", "key_set": key_set(), "scopes": ["system/Patient.r"]}
    wrong: list[dict[str, Any]] = [
        {"identifier": "no name"},
        {"scopes": []},
        {"scopes": ["system/Device.r"]},
        {"key_set": {"keys": []}},
        {"key_set": {"keys": [KEY.as_dict(private=True)]}},
        {"key_set": {"keys": [{"kty": "EC", "kid": "x", "crv": "P-384"}]}},
        {"key_set": []},
    ]
    with hospital.desk.context.database.writing() as session:
        for parts in wrong:
            with pytest.raises(InvalidFile):
                add_client(session, SYSTEM, now=hospital.desk.clock(), **(good | parts))
        with pytest.raises(AlreadyThere):
            add_client(session, SYSTEM, now=hospital.desk.clock(), **(good | {"identifier": HOSPITAL}))


@dataclass
class Keys:
    """Keys at an address, and how often they were read."""

    served: dict[str, Any]
    readings: int = 0

    def fetch(self, url: str) -> Fetched:
        """Return what the address holds."""
        assert url == ADDRESS
        self.readings += 1
        return Fetched(json.dumps(self.served).encode(), None)


ADDRESS = "https://keys.example/keys.json"


def ask(hospital: Hospital, keys: Keys, key: ECKey, identifier: str, **header: Any) -> str:
    """Let the client at that address come in by a key, and return why it may not; empty: it may."""
    context = replace(hospital.desk.context, fetcher=cast("Fetcher", keys))
    assertion = sign(claims_of(hospital, iss="afar", sub="afar", jti=identifier), key, **header)
    wanted = TokenRequest("client_credentials", ASSERTION_TYPE, assertion, "system/Patient.r")
    try:
        give_token(context, "10.0.0.1", wanted, AUDIENCE)
    except TokenRefused as refusal:
        return refusal.error
    return ""


def test_keys_at_an_address_are_read_again_when_a_new_one_is_used(hospital: Hospital) -> None:
    new = ECKey.generate_key("P-384", {"kid": "new"}, private=True, auto_kid=False)
    keys, clock = Keys(key_set()), hospital.desk.clock
    with hospital.desk.context.database.writing() as session:
        add_client(session, SYSTEM, "afar", key_set(), ["system/Patient.r"], clock(), ADDRESS)
    assert ask(hospital, keys, KEY, "a") == "" and keys.readings == 0
    clock.pass_by(seconds=61)
    assert ask(hospital, keys, new, "b") == "invalid_client" and keys.readings == 1
    keys.served = key_set(new)
    assert ask(hospital, keys, new, "c") == "invalid_client" and keys.readings == 1, "it is read at most once a minute"
    clock.pass_by(seconds=61)
    assert ask(hospital, keys, new, "d", jku="https://evil.example/keys") == "invalid_client"
    assert ask(hospital, keys, new, "e", jku=ADDRESS) == "" and keys.readings == 2
    assert ask(hospital, keys, KEY, "f") == "invalid_client", "a key that was taken away counts no more"


@pytest.mark.parametrize("served", [{}, {"keys": []}, {"keys": [KEY.as_dict(private=True)]}])
def test_an_address_without_good_keys_changes_nothing(hospital: Hospital, served: dict[str, Any]) -> None:
    with hospital.desk.context.database.writing() as session:
        add_client(session, SYSTEM, "afar", key_set(), ["system/Patient.r"], hospital.desk.clock(), ADDRESS)
    hospital.desk.clock.pass_by(seconds=61)
    other = ECKey.generate_key("P-384", {"kid": "other"}, private=True, auto_kid=False)
    assert ask(hospital, Keys(served), other, "a") == "invalid_client"
    assert ask(hospital, Keys(served), KEY, "b") == ""


def test_keys_are_read_from_private_addresses_only_of_hosts_in_the_settings(hospital: Hospital) -> None:
    for hosts, words in (("", "not one of the public internet"), ("localhost", "cannot be read")):
        settings = hospital.desk.context.settings.model_copy(update={"key_hosts": hosts})
        with pytest.raises(InvalidFile, match=words):
            fetch_key_set(replace(hospital.desk.context, settings=settings), "https://localhost:1/keys")
    with pytest.raises(InvalidFile, match="no https address"):
        fetch_key_set(hospital.desk.context, "http://keys.example/keys")


def encode(part: str) -> str:
    return urlsafe_b64encode(part.encode()).decode().rstrip("=")


ODD_ASSERTIONS = {
    "a header that is a list": ('["alg"]', '{"iss": "x"}'),
    "deep claims": ('{"alg": "ES384"}', "[" * 3_000),
    "deep claims of whom": ('{"alg": "ES384"}', '{"iss": ' + "[" * 1_500 + "]" * 1_500 + "}"),
    "half a character": ('{"alg": "ES384"}', '{"iss": "\\ud800"}'),
    "NUL": ('{"alg": "ES384"}', '{"iss": "\\u0000"}'),
    "a number": ('{"alg": "ES384"}', '{"iss": 7}'),
    "no object": ('{"alg": "ES384"}', "7"),
    "a long name": ('{"alg": "ES384"}', '{"iss": "' + "x" * 1_000 + '"}'),
}


@pytest.mark.parametrize(("header", "claims"), ODD_ASSERTIONS.values(), ids=ODD_ASSERTIONS)
def test_an_assertion_of_any_shape_is_refused_and_written_down(hospital: Hospital, header: str, claims: str) -> None:
    before = len(denials(hospital.desk.context.database))
    answer = request_token(hospital, f"{encode(header)}.{encode(claims)}.AA")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    assert len(denials(hospital.desk.context.database)) == before + 1


@pytest.mark.parametrize(
    ("scope", "comes_along"), [("system/Appointment.s", False), ("system/Appointment.s system/Patient.r", True)]
)
def test_what_comes_along_with_a_search_needs_its_own_scope(hospital: Hospital, scope: str, comes_along: bool) -> None:
    token = request_token(hospital, sign(claims_of(hospital)), scope).json()["access_token"]
    path = "/fhir/r4/Appointment?_include=Appointment:patient&_include=Appointment:actor"
    bundle = hospital.desk.client.get(path, headers=bearer(token)).json()
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert kinds == ({"Appointment", "Patient"} if comes_along else {"Appointment"})
