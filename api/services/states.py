"""The states and kinds of what is kept, under one roof for those who show them and do not ask the store."""

from __future__ import annotations

from api.store.tables.care import ReferralState
from api.store.tables.feeds import FeedKind
from api.store.tables.jobs import JobFailure, JobState
from api.store.tables.mail import MessageState, Method, Participation

__all__ = ["FeedKind", "JobFailure", "JobState", "MessageState", "Method", "Participation", "ReferralState"]
