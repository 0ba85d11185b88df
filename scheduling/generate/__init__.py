"""Synthetic clinics and weeks, by size and seed.

:func:`generate` asks :mod:`.roster` for the staff, then :mod:`.visits` and :mod:`.episodes` for what patients need and
:mod:`.groups` for the month's groups. All go through one :class:`.asking.RequestBuilder`, which counts the :mod:`.load`.
Shares, weights and sizes stand in ``profile.toml``; the clinic itself in :mod:`scheduling.catalogue`.
"""

from __future__ import annotations

from datetime import date, datetime
from random import Random

from scheduling import catalogue
from scheduling.fields import Horizon
from scheduling.generate.asking import RequestBuilder
from scheduling.generate.dates import Dates, make_dates
from scheduling.generate.episodes import ask_episodes
from scheduling.generate.groups import build_reserves, draw_groups, list_held_workshops
from scheduling.generate.load import Meter, measure_load
from scheduling.generate.needs import NeedBuilder, strip_clinic, strip_links, strip_policy
from scheduling.generate.openings import ServiceOpenings
from scheduling.generate.patients import Patients
from scheduling.generate.profile import SIZES, GenerationProfile, SizeName, load_profile
from scheduling.generate.roster import draw_roster
from scheduling.generate.standing import StandingDay
from scheduling.generate.visits import ask_cancer, fill
from scheduling.people import Provider
from scheduling.scenario import Scenario

__all__ = ["DEFAULT_START", "SIZES", "SizeName", "generate", "measure_load"]

DEFAULT_START = date(2026, 11, 30)
"""The Monday on which horizons start unless told otherwise; fixed, so that a seed means the same in every year."""


def generate(
    size: SizeName, seed: int, start: date = DEFAULT_START, *, with_needs: bool = False, with_notice: bool = False
) -> Scenario:
    """Return a synthetic scenario, the same for the same arguments on every machine.

    Parameters
    ----------
    size : {"tiny", "week", "month"}
        About 29 visits with 10 providers, 680 with 20, or 2,750 over four weeks.
    seed : int
        Any whole number.
    start : date
        A Monday.
    with_needs : bool
        The same week with needs of single visits, closed rooms, staffed special clinics and a least notice, on its first
        morning, when some visits stand and some of them have begun. It uses every key of the file format.
    with_notice : bool
        Patients hear as long before as the catalogue has it (``policy.notice_minutes``), once the week is planned again.

    Raises
    ------
    ValueError
        When the size is unknown or the start is no Monday.
    """
    if size not in SIZES:
        raise ValueError(f'unknown size "{size}": one of {", ".join(SIZES)}')
    data = load_profile()
    extent = data.sizes[size].extent
    dates = make_dates(start, data.sizes[size], data)
    providers = draw_roster(data, size, dates, _stream(seed, size, "roster"))
    clinic = strip_clinic(catalogue.build_clinic(providers, extent, dates.closures))
    rng = _stream(seed, size, "requests")
    builder = RequestBuilder(
        profile=data,
        size=size,
        dates=dates,
        clinic=clinic,
        openings=ServiceOpenings(clinic, providers),
        meter=Meter(clinic.services, providers, clinic.closures),
        patients=Patients(data.patients, dates, (site.id for site in clinic.sites), rng),
        rng=rng,
    )
    scenario = _scenario(builder, providers, seed)
    if with_notice:
        least = catalogue.get_policy().notice_minutes
        scenario = scenario.changed(policy=scenario.policy.changed(notice_minutes=least))
    return _add_needs(scenario, data, size, dates, _stream(seed, size, "needs")) if with_needs else scenario


def _add_needs(scenario: Scenario, profile: GenerationProfile, size: SizeName, dates: Dates, rng: Random) -> Scenario:
    """Return a scenario that has begun, with needs of every kind."""
    mix, day = profile.needs, dates.workdays[0]
    needy = NeedBuilder(mix, dates, rng).add_to(scenario)
    standing = StandingDay(needy, day).place(mix.standing.of(size))
    visits = tuple(visit.changed(current=standing.get(visit.id)) for visit in needy.visits)
    return needy.changed(id=f"{needy.id}-needs", now=datetime.combine(day, mix.now), visits=visits)


def _scenario(builder: RequestBuilder, providers: tuple[Provider, ...], seed: int) -> Scenario:
    ask_cancer(builder)
    ask_episodes(builder)
    held = build_reserves(builder)
    builder.meter.count(reserve.service for reserve in held)
    builder.meter.count(workshop.service for workshop in list_held_workshops(builder))
    fill(builder)
    sessions = draw_groups(builder)
    started = "" if builder.dates.start == DEFAULT_START else f"-{builder.dates.start}"
    return Scenario(
        format="clinicweave-scenario/1",
        id=f"{builder.size}-{seed}{started}",
        now=None,
        freeze_minutes=catalogue.get_limits().freeze_minutes,
        horizon=Horizon(start=builder.dates.start, end=builder.dates.end),
        clinic=builder.clinic,
        providers=providers,
        patients=tuple(builder.patients.all),
        visits=tuple(builder.visits),
        links=strip_links(builder.links),
        groups=sessions,
        reserves=held,
        policy=strip_policy(catalogue.get_policy()),
    )


def _stream(seed: int, *names: str) -> Random:
    """Return random numbers of their own for one purpose; text seeds are the same on every machine, in every process."""
    return Random(":".join((str(seed), *names)))
