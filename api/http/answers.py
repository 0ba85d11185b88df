"""What a service's result is to a caller: a document with its version and place, kept when the request may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from pydantic_core import to_json
from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.runtime.exceptions import KeyReused, Stale, Unavailable, VersionMissing
from api.services.records import AuditEntry, has_entry_between, make_entry
from api.store.epoch import Version, get_epoch, make_tag, read_tag
from api.store.errors import StoreUnwritable
from api.store.queries import accounts
from api.store.tables import IdempotencyRow

AUDIT_REST = timedelta(minutes=1)
"""How long reading the same again is not written down, where a page asks again and again."""

Transaction = Session
"""A transaction of the store, as a route hands it on to services. No route asks the store by it."""


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What a route answers: anything that JSON can hold, and what goes beside it.

    Attributes
    ----------
    document
        Models and dataclasses too; a function that returns it, where it is costly and not needed by who knows the version.
    version : int or None
        The object's version, its ETag.
    location : str or None
        The path of what was made.
    """

    document: Any = None
    status: int = HTTPStatus.OK
    version: int | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, present: str) -> Response:
        """Return it as a response of the store's present epoch."""
        headers = dict(self.headers)
        if self.version is not None:
            headers["ETag"] = make_tag(Version(present, self.version))
        if self.location is not None:
            headers["Location"] = self.location
        if self.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return Response(status_code=self.status, headers=headers)
        document = self.document() if callable(self.document) else self.document
        return Response(to_json(document), self.status, headers, "application/json")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody known, and the only way of a route to the store.

    Attributes
    ----------
    key, digest : str or None
        Its Idempotency-Key, and the hash of all that makes it the same request.
    if_match, if_none_match : str or None
        The version that the caller wants to change, and those that the caller knows.
    """

    context: AppContext
    actor: Actor
    key: str | None = None
    digest: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None

    def read(self, act: Callable[[Session], RouteResult]) -> Response:
        """Answer from one moment of the store, which it cannot change; what the caller knows is not told again."""
        with self.context.database.reading() as session:
            answer = act(session)
            present = get_epoch(session)
            if answer.version is not None and self._knows(Version(present, answer.version)):
                answer = RouteResult(status=HTTPStatus.NOT_MODIFIED, version=answer.version)
            return answer.response(present)

    def disclose(self, action: str, kind: str, identifier: str, act: Callable[[Session], RouteResult]) -> Response:
        """Answer as :meth:`read` does with patient data; that it was read is written down before the answer leaves.

        Raises
        ------
        Unavailable
            When it cannot be written down.
        """
        response = self.read(act)
        self._note(make_entry(self.actor, action, kind, identifier), self.context.clock())
        return response

    def disclose_once_a_minute(
        self, action: str, kind: str, identifier: str, act: Callable[[Session], RouteResult]
    ) -> Response:
        """Answer as :meth:`disclose` does to what a page asks again and again, as while something is dragged.

        That somebody read something is written down once a minute; what else they read, or others read, each for itself.
        """
        response, now = self.read(act), self.context.clock()
        with self.context.database.reading() as session:
            if has_entry_between(session, self.actor.id, action, (kind, identifier), now - AUDIT_REST, now):
                return response
        self._note(make_entry(self.actor, action, kind, identifier), now)
        return response

    def _note(self, entry: AuditEntry, now: datetime) -> None:
        try:
            self.context.reads.write(entry, now)
        except StoreUnwritable as error:
            raise Unavailable(f"a read that cannot be written down is not answered: {error}") from None

    def write(self, act: Callable[[Session], RouteResult]) -> Response:
        """Answer with what one transaction does; nothing is done when it raises.

        Raises
        ------
        Stale
            When the version of If-Match is of another epoch: the store was restored since it was read.
        """
        with self.context.database.writing() as session:
            answer, present = act(session), get_epoch(session)
            if self.if_match is not None and self._expected().epoch != present:
                raise Stale("it has changed since it was read")  # and with it all that was done is undone
            return answer.response(present)

    def create(self, act: Callable[[Session], RouteResult]) -> Response:
        """Do something once for each Idempotency-Key, and give every repetition the first one's answer.

        The answer is kept in the transaction that does it, and writers follow one another, so a repetition at the same
        time waits and finds it. A request that raises leaves nothing behind, and may be repeated with its key.

        Raises
        ------
        KeyReused
            When the key came before with another request.
        """
        if self.key is None or self.digest is None:
            return self.write(act)
        with self.context.database.writing() as session:
            accounts.delete_old_answers(session, self.context.clock() - timedelta(hours=self.context.settings.key_hours))
            row = accounts.find_kept_answer(session, self.actor.id, self.key)
            if row is None:
                response = act(session).response(get_epoch(session))
                session.add(self._kept(self.key, self.digest, response))
                return response
        return self._repeated(self.digest, row)

    def expected_version(self) -> int:
        """Return the version that the caller has read, from If-Match.

        Raises
        ------
        VersionMissing
            When the request does not say.
        Stale
            When it says what no version can be.
        """
        return self._expected().number

    def _expected(self) -> Version:
        if self.if_match is None:
            raise VersionMissing("send If-Match with the ETag of what is to be changed")
        version = read_tag(self.if_match)
        if version is None:
            raise Stale("If-Match is no ETag of this object")
        return version

    def _knows(self, version: Version) -> bool:
        """Say whether If-None-Match names a version (RFC 9110, section 13.1.2)."""
        known = {tag.strip().removeprefix("W/") for tag in (self.if_none_match or "").split(",")}
        return not known.isdisjoint((make_tag(version), "*"))

    def _kept(self, key: str, digest: str, response: Response) -> IdempotencyRow:
        return IdempotencyRow(
            caller=self.actor.id,
            key=key,
            request_digest=digest,
            status=response.status_code,
            headers={name: response.headers[name] for name in ("content-type", "etag", "location") if name in response.headers},
            body=self.context.signer.sealed(bytes(response.body)),
            created_at=self.context.clock(),
        )

    def _repeated(self, digest: str, row: IdempotencyRow) -> Response:
        body = self.context.signer.opened(row.body)
        if row.request_digest != digest or body is None:
            raise KeyReused("this Idempotency-Key came before with another request; take a new one")
        return Response(body, row.status, dict(row.headers))
