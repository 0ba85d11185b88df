"""Who may read calendars by CalDAV: staff, by the name of their account and a program's token, each what is theirs."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from radicale.auth import AuthContext, BaseAuth
from radicale.rights import BaseRights

from api.access.actor import NOBODY, UNKNOWN, Actor
from api.access.credentials import TOKEN
from api.access.limits import get_network
from api.context import create_context
from api.runtime.exceptions import ServiceError, TooMany, Unauthenticated
from api.runtime.settings import read_settings
from api.services.calendars.feeds import USE_NOTED_EVERY
from api.services.records import write_audit, write_refusal
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import accounts

READ_COLLECTIONS, READ_CALENDARS = "R", "r"


class Auth(BaseAuth):
    """Knows staff by a token of their account."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self._context = create_context(read_settings())
        self._noted: dict[str, datetime] = {}

    def _login_ext(self, login: str, password: str, context: AuthContext) -> str:
        """Return the account's name, empty when the token is not one of the account, or its address has guessed too often."""
        guessing = f"caldav from {get_network(context.remote_addr)}"
        try:
            self._context.log_ins.expect(guessing)
            actor = self._context.identify(password) if password.startswith(TOKEN) else None
        except Unauthenticated:
            actor = None
        except ServiceError:
            return ""
        with self._context.database.reading() as session:
            account = accounts.find_account_by_name(session, login)
        if actor is not None and account is not None and account.id == actor.id:
            self._note(actor)
            return login
        with suppress(TooMany, StoreBusy, StoreUnusable):
            self._context.log_ins.take(guessing)
            refused = (account.id, account.role) if account else (UNKNOWN, NOBODY)
            with self._context.database.writing() as session:
                tried = account.id if account else ""
                write_refusal(session, *refused, "caldav.log-in", "account", tried, self._context.clock())
        return ""

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """Wait for nothing: one log-in that took long would make all later ones that fail hold a thread for as long."""

    def _note(self, actor: Actor) -> None:
        """Write down that somebody reads, once a day: programs come every few minutes, with each request anew."""
        now = self._context.clock()
        if now - self._noted.get(actor.credential, now - USE_NOTED_EVERY) < USE_NOTED_EVERY:
            return
        with suppress(StoreBusy, StoreUnusable), self._context.database.writing() as session:
            write_audit(session, actor, "caldav.log-in", "account", actor.id, now, token=actor.credential)
            self._noted[actor.credential] = now


class Rights(BaseRights):
    """Lets everybody read what is theirs, and nobody write."""

    def authorization(self, user: str, user_groups: set[Any], path: str) -> str:
        """Return what somebody may do with what is at a path."""
        parts = [part for part in path.split("/") if part]
        if not user or (parts and parts[0] != user):
            return ""
        return READ_COLLECTIONS if len(parts) < 2 else READ_CALENDARS
