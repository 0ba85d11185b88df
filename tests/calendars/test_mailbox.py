"""Addresses of mail: of any script, kept in one form, and nothing that could break a header."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from calendars.mailbox import Mailbox, compose_address, is_address


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" robin@example.org ", "robin@example.org"),
        ("robin+clinic@example.org", "robin+clinic@example.org"),
        (normalize("NFD", "Zoë.Müller@example.org"), normalize("NFC", "Zoë.Müller@example.org")),
        ("robin@bücher.example", "robin@xn--bcher-kva.example"),
        (normalize("NFD", "robin@BÜCHER.example"), "robin@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert compose_address(given) == kept
    assert is_address(kept) and Mailbox(kept).uri == f"mailto:{kept}"


@pytest.mark.parametrize(
    "text",
    ["a b@x.org", "a\u200b@x.org", "a\u2028b@x.org", "a\u00a0b@x.org", "a\r\nb@x.org", "a@", "@x.org", f"{'ü' * 33}@x.org"],
)
def test_what_shows_nothing_or_is_too_long_is_no_part_of_an_address(text: str) -> None:
    assert not is_address(compose_address(text))


def test_a_domain_that_no_name_server_can_have_is_refused() -> None:
    assert not is_address(compose_address(f"robin@{'ü' * 70}.example"))
