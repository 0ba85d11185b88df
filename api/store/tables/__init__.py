"""The tables, a module for each noun. Rows end in ``Row``, so that none is taken for the domain's own ``Visit`` or ``Plan``.

What is looked for or constrained is a column; the rest of what the domain knows of a thing is its ``document``, JSON as
the domain writes it. Every time is :class:`api.store.columns.Utc`. ``version`` counts from 1 and grows with every change.
"""

from __future__ import annotations

from api.store.columns import TableRow
from api.store.tables.access import AccountRow, IdempotencyRow, PatientLinkRow, SessionRow, TokenRow
from api.store.tables.care import (
    AttendanceRow,
    EpisodeEventRow,
    EpisodeRow,
    EpisodeVisitRow,
    MemberRow,
    ProgrammeRow,
    ReferralOutRow,
    WaitingRow,
)
from api.store.tables.clients import ClientAssertionRow, ClientRow, ClientTokenRow, ProposalRow
from api.store.tables.clinic import ClinicRow, EpochRow, PeriodRow, PeriodVersionRow, ScenarioRow
from api.store.tables.disruptions import DisruptionRow
from api.store.tables.feeds import FeedCopyRow, FeedRow, OutsideCalendarRow
from api.store.tables.hl7 import InMessageRow, MirrorRow, OutMessageRow, PlacerRow
from api.store.tables.jobs import BestPlanRow, JobEventRow, PlanJobRow, WhatIfRow
from api.store.tables.mail import InvitationRow, MessageRow
from api.store.tables.people import BusyRow, MergeRow, PatientRow, ProviderRow, ShiftRow
from api.store.tables.plans import (
    BookingRow,
    ChangeSetRow,
    OccupancyRow,
    OfferRow,
    PlanRow,
    PublicationRow,
    ShiftPlaceRow,
)
from api.store.tables.records import AuditRow, TaskRow
from api.store.tables.requests import GroupRow, LinkRow, MembershipRow, ReserveRow, VisitRow

metadata = TableRow.metadata

__all__ = [
    "AccountRow",
    "AttendanceRow",
    "AuditRow",
    "BestPlanRow",
    "BookingRow",
    "BusyRow",
    "ChangeSetRow",
    "ClientAssertionRow",
    "ClientRow",
    "ClientTokenRow",
    "ClinicRow",
    "DisruptionRow",
    "EpisodeEventRow",
    "EpisodeRow",
    "EpisodeVisitRow",
    "EpochRow",
    "FeedCopyRow",
    "FeedRow",
    "GroupRow",
    "IdempotencyRow",
    "InMessageRow",
    "InvitationRow",
    "JobEventRow",
    "LinkRow",
    "MemberRow",
    "MembershipRow",
    "MergeRow",
    "MessageRow",
    "MirrorRow",
    "OccupancyRow",
    "OfferRow",
    "OutMessageRow",
    "OutsideCalendarRow",
    "PatientLinkRow",
    "PatientRow",
    "PeriodRow",
    "PeriodVersionRow",
    "PlacerRow",
    "PlanJobRow",
    "PlanRow",
    "ProgrammeRow",
    "ProposalRow",
    "ProviderRow",
    "PublicationRow",
    "ReferralOutRow",
    "ReserveRow",
    "ScenarioRow",
    "SessionRow",
    "ShiftPlaceRow",
    "ShiftRow",
    "TaskRow",
    "TokenRow",
    "VisitRow",
    "WaitingRow",
    "WhatIfRow",
    "metadata",
]
