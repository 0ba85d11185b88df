"""Who may read calendars by CalDAV: staff, by the name of their account and a program's token, each what is theirs."""

from __future__ import annotations

from typing import Any

from radicale.auth import BaseAuth
from radicale.rights import BaseRights

from api.access.credentials import TOKEN
from api.context import create_context
from api.runtime.exceptions import ServiceError
from api.runtime.settings import read_settings
from api.store import accounts

READ_COLLECTIONS, READ_CALENDARS = "R", "r"


class Auth(BaseAuth):
    """Knows staff by a token of their account."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self._context = create_context(read_settings())

    def _login(self, login: str, password: str) -> str:
        """Return the account's name, empty when the token is not one of the account, or has been guessed at too often."""
        if not password.startswith(TOKEN):
            return ""
        try:
            self._context.log_ins.take(f"caldav by {login}")
            actor = self._context.identify(password)
        except ServiceError:
            return ""
        with self._context.database.reading() as session:
            account = accounts.find_account_by_name(session, login)
        return login if account is not None and account.id == actor.id else ""


class Rights(BaseRights):
    """Lets everybody read what is theirs, and nobody write."""

    def authorization(self, user: str, user_groups: set[Any], path: str) -> str:
        """Return what somebody may do with what is at a path."""
        parts = [part for part in path.split("/") if part]
        if not user or (parts and parts[0] != user):
            return ""
        return READ_COLLECTIONS if len(parts) < 2 else READ_CALENDARS
