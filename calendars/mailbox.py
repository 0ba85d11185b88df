"""Addresses of mail, which become part of headers and of calendar addresses: checked once, here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from calendars.wording import flatten

MAX_ADDRESS = 254
"""Longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""

MAX_NAME = 200
"""Longest name that is written beside an address."""

_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.ASCII | re.IGNORECASE,
)


def is_address(text: str) -> bool:
    """Return whether a text is an address that every server takes (RFC 5322, section 3.4.1, without quoting; ASCII)."""
    return len(text) <= MAX_ADDRESS and len(text.partition("@")[0]) <= 64 and _ADDRESS.fullmatch(text) is not None


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
