"""Addresses of mail, which become part of headers and of calendar addresses: checked once, here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import category, normalize

from calendars.wording import flatten

MAX_ADDRESS = 254
"""Longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""

MAX_NAME = 200
"""Longest name that is written beside an address."""

_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+)*"
    r"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.ASCII | re.IGNORECASE,
)
_UNPRINTED = ("C", "Z")
"""Unicode's classes of characters that show nothing, or only a blank: no part of an address."""


def is_address(text: str) -> bool:
    """Return whether a text is an address of mail (RFC 5322, section 3.4.1, without quoting).

    Its domain is ASCII; what stands before it may be of any script (RFC 6531, section 3.3), which not every server takes.
    """
    local = text.partition("@")[0]
    if len(text.encode(errors="replace")) > MAX_ADDRESS or len(local.encode(errors="replace")) > 64:
        return False
    return _ADDRESS.fullmatch(text) is not None and not any(category(letter).startswith(_UNPRINTED) for letter in local)


def compose_address(text: str) -> str:
    """Return an address as it is kept: composed, without blanks around it, its domain as name servers have it (RFC 5890)."""
    local, at, domain = normalize("NFC", text.strip()).rpartition("@")
    if domain.isascii():
        return f"{local}{at}{domain}"
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return f"{local}{at}{domain}"  # no name of a domain, as is_address finds


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address of mail and whose it is; a name is put on one line and cut to a sane length.

    Raises
    ------
    ValueError
        When the address is none.
    """

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        if not is_address(self.address):
            raise ValueError("no address of mail")
        object.__setattr__(self, "name", flatten(self.name)[:MAX_NAME].strip())

    @property
    def uri(self) -> str:
        """The address as calendars have it (RFC 5545, section 3.3.3)."""
        return f"mailto:{self.address}"

    @property
    def key(self) -> str:
        """What two ways to write one address share: mail looks at no capitals, whatever RFC 5321 allows."""
        return self.address.casefold()
