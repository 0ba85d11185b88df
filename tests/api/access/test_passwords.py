"""Passwords are kept as hashes, and known again."""

from __future__ import annotations

import pytest
from support.service import CHEAP, PASSWORD

from api.access import passwords


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make argon2 cheap."""
    monkeypatch.setattr(passwords, "_hasher", CHEAP)


def test_a_password_is_known_again_and_no_other() -> None:
    kept = passwords.hash_password(PASSWORD, "dana")
    assert passwords.is_password(kept, PASSWORD)
    assert not passwords.is_password(kept, PASSWORD + " ")
    assert not passwords.is_password(None, PASSWORD)
    assert not passwords.is_password("no hash", PASSWORD)
    assert not passwords.is_password(kept, PASSWORD + "x" * 1000)
