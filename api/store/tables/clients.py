"""Programs of hospital systems: their keys, the tokens that they were given, and the places that were proposed to them.

Of a token only its SHA-256 is kept, hexadecimal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field

from api.store.columns import TableRow, Utc


class ClientRow(TableRow, table=True):
    """A program that proves who it is by a key of its own; ``key_set`` is its public keys (RFC 7517).

    ``jwks_url`` is where they are kept, None: nowhere but here; they were read there at ``keys_read_at``.
    """

    __tablename__ = "clients"

    id: str = Field(primary_key=True)
    key_set: dict[str, Any] = Field(sa_type=JSON)
    jwks_url: str | None = None
    keys_read_at: datetime | None = Field(default=None, sa_type=Utc)
    scopes: list[str] = Field(sa_type=JSON)
    is_active: bool = True
    version: int = 1
    created_at: datetime = Field(sa_type=Utc)


class ClientTokenRow(TableRow, table=True):
    """A token that a client has got for some minutes, with what it may do of what the client may."""

    __tablename__ = "client_tokens"

    id: str = Field(primary_key=True)
    secret_hash: str = Field(unique=True)
    client_id: str = Field(foreign_key="clients.id", index=True)
    scopes: list[str] = Field(sa_type=JSON)
    expires_at: datetime = Field(sa_type=Utc, index=True)


class ClientAssertionRow(TableRow, table=True):
    """The id of an assertion by which a client has got a token: it counts once, as long as it would be good."""

    __tablename__ = "client_assertions"

    client_id: str = Field(primary_key=True, foreign_key="clients.id")
    assertion_id: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=Utc, index=True)


class ProposalRow(TableRow, table=True):
    """Places that were proposed to a client for a while; ``content`` is sealed, and ``visits`` are those that took them."""

    __tablename__ = "proposals"

    id: str = Field(primary_key=True)
    client_id: str
    content: bytes = Field(sa_type=LargeBinary)
    visits: list[str] = Field(default_factory=list, sa_type=JSON)
    expires_at: datetime = Field(sa_type=Utc, index=True)
