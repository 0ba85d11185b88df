"""The month's groups, and the capacity held for referrals of the day."""

from __future__ import annotations

from datetime import date, timedelta

from scheduling.catalogue import get_limits, list_workshops
from scheduling.catalogue.entries import Workshop
from scheduling.fields import ONE_DAY
from scheduling.generate.asking import RequestBuilder
from scheduling.generate.dates import WORKING_WEEKDAYS
from scheduling.people import Patient
from scheduling.requests import Candidate, Group, Reserve
from scheduling.timegrid import weekday


def list_held_workshops(builder: RequestBuilder) -> tuple[Workshop, ...]:
    """Return the workshops of the size, each of which has one session."""
    wanted = builder.profile.sizes[builder.size].workshops
    return tuple(workshop for workshop in list_workshops() if workshop.id in wanted)


def draw_groups(builder: RequestBuilder) -> tuple[Group, ...]:
    """Draw the session of each workshop in the horizon's month, with candidates old and new."""
    known = builder.without_cancer()
    return tuple(_group(builder, workshop, known) for workshop in list_held_workshops(builder))


def _group(builder: RequestBuilder, workshop: Workshop, known: list[Patient]) -> Group:
    return Group(
        id=f"{workshop.id}-{builder.dates.month}",
        name=workshop.name,
        service=workshop.service,
        month=builder.dates.month,
        required=workshop.required,
        capacity=workshop.capacity,
        min_attendees=workshop.min_attendees,
        candidates=_candidates(builder, known),
        last_session=_last_session(builder),
        min_days_between=get_limits().group_min_days,
        max_days_between=get_limits().group_max_days,
        current=None,
    )


def _candidates(builder: RequestBuilder, known: list[Patient]) -> tuple[Candidate, ...]:
    rng, mix = builder.rng, builder.profile.groups
    wanted = rng.randint(*mix.candidates)
    visiting = sum(rng.random() < mix.known_share for _ in range(wanted))
    members = rng.sample(known, min(visiting, len(known)))
    members += [builder.patients.admit(builder.patients.draw()) for _ in range(wanted - len(members))]
    rng.shuffle(members)
    return tuple(
        Candidate(patient=member.id, priority="soon" if rng.random() < mix.soon_share else "routine") for member in members
    )


def _last_session(builder: RequestBuilder) -> date:
    """Draw a working weekday of the month before, from which the middle of this month's days is within the limits."""
    days = [day for day in builder.dates.workdays if f"{day:%Y-%m}" == builder.dates.month]
    middle = days[len(days) // 2]
    month_before = days[0].replace(day=1) - ONE_DAY
    past = [middle - timedelta(days=ago) for ago in range(get_limits().group_min_days, get_limits().group_max_days + 1)]
    return builder.rng.choice([day for day in past if weekday(day) in WORKING_WEEKDAYS and day.month == month_before.month])


def build_reserves(builder: RequestBuilder) -> tuple[Reserve, ...]:
    """Return the capacity held on every working day, numbered within its date."""
    wanted = builder.profile.sizes[builder.size].reserves
    held: list[Reserve] = []
    for day in builder.dates.workdays:
        rules = [rule for rule in builder.profile.reserves if rule.id in wanted and weekday(day) in rule.weekdays]
        for number, rule in enumerate(rules, 1):
            clocks = {"from": f"{rule.start:%H:%M}", "to": f"{rule.end:%H:%M}"}
            identity = {"id": f"hold-{day}-{number}", "service": rule.service, "date": day, "site": rule.site}
            held.append(Reserve.model_validate(identity | clocks))
    return tuple(held)
