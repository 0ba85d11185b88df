"""What all requests of one process share: the settings, the store, the clock, and the counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from api.access import oidc, passwords
from api.access.actor import Actor
from api.access.credentials import Signer
from api.access.identity import identify, is_live
from api.access.limits import OpenStreams, RateLimiter
from api.access.oidc import IdentityProvider
from api.runtime.caches import FeedCache
from api.runtime.exceptions import Unavailable
from api.runtime.fetching import Fetcher
from api.runtime.metrics import Metrics
from api.runtime.pools import BoundedPool
from api.runtime.settings import Settings
from api.store.columns import utc_now
from api.store.database import Database
from api.store.migrations import expect_migrated

if TYPE_CHECKING:
    from api.runtime.job_queue import JobQueue


@dataclass
class AppContext:
    """What all requests of one process share.

    Attributes
    ----------
    clock : callable
        Returns the present instant; tests give their own.
    requests, log_ins, polls : RateLimiter
        How often one credential, one network address that fails to log in, and one feed's readers may ask.
    streams : OpenStreams
        Answers that go on.
    fetcher : Fetcher
        Reads calendars elsewhere.
    identity_provider : IdentityProvider or None
        Where staff log in, when not here.
    hashing, asking : BoundedPool
        Where passwords are hashed, and the identity provider is asked: neither takes a thread from those who read.
    stopping : Event
        Set when the process has been told to end: streams end then, and it is no longer ready.
    """

    settings: Settings
    database: Database
    signer: Signer
    clock: Callable[[], datetime]
    requests: RateLimiter
    log_ins: RateLimiter
    polls: RateLimiter
    fetcher: Fetcher
    identity_provider: IdentityProvider | None = None
    streams: OpenStreams = field(default_factory=OpenStreams)
    metrics: Metrics = field(default_factory=Metrics)
    stopping: Event = field(default_factory=Event)
    feeds: FeedCache = field(default_factory=FeedCache)
    hashing: BoundedPool = field(
        default_factory=lambda: BoundedPool("logging in", passwords.POOL_THREADS, passwords.POOL_PLACES)
    )
    asking: BoundedPool = field(
        default_factory=lambda: BoundedPool("the identity provider", oidc.POOL_THREADS, oidc.POOL_PLACES)
    )

    @cached_property
    def queue(self) -> JobQueue:
        """The queue of plan jobs, opened at first use: most tests and commands need none."""
        from api.runtime.job_queue import JobQueue

        return JobQueue(self.database, self.settings.max_queued_jobs)

    def identify(self, secret: str) -> Actor:
        """Return who brings a secret, as of now. Raises ``Unauthenticated``."""
        idle = timedelta(minutes=self.settings.session_idle_minutes)
        return identify(self.database, self.signer, secret, self.clock(), idle)

    def is_live(self, actor: Actor) -> bool:
        """Return whether somebody who was identified may still ask; it does not count as use."""
        idle = timedelta(minutes=self.settings.session_idle_minutes)
        return is_live(self.database, actor, self.clock(), idle)

    def expect_ready(self) -> None:
        """Refuse to serve: the process is ending, or the database does not answer or has other tables.

        Raises
        ------
        Unavailable, StoreUnusable
            When requests cannot be served.
        """
        if self.stopping.is_set():
            raise Unavailable("the process is ending")
        expect_migrated(self.database)

    def close(self) -> None:
        """Close the store, and the queue if it was opened."""
        if "queue" in self.__dict__:
            self.queue.close()
        for pool in (self.hashing, self.asking):
            pool.close()
        self.database.close()


def create_context(settings: Settings, database: Database | None = None, clock: Callable[[], datetime] = utc_now) -> AppContext:
    """Put together what requests share.

    Raises
    ------
    InvalidFile, StoreUnusable
        When a setting cannot be used.
    """
    return AppContext(
        settings=settings,
        database=database or Database(settings.database_url),
        signer=Signer(settings.signing_key()),
        clock=clock,
        requests=RateLimiter(settings.requests_per_minute),
        log_ins=RateLimiter(settings.log_ins_per_minute),
        polls=RateLimiter(settings.feed_polls_per_minute),
        fetcher=Fetcher(settings.outside_max_bytes, settings.outside_seconds),
        identity_provider=None if settings.oidc_issuer is None else IdentityProvider(settings),
    )


def get_context(connection: HTTPConnection) -> AppContext:
    """Return the context of the application that a request came to."""
    context = connection.app.state.context
    assert isinstance(context, AppContext)
    return context
