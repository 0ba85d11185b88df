"""The patients of a synthetic clinic: where and when they can and would like to come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from random import Random

from scheduling.fields import ONE_DAY, Interval
from scheduling.generate.dates import Dates
from scheduling.generate.profile import PatientMix
from scheduling.people import Patient
from scheduling.timegrid import NOON_MINUTE


class Patients:
    """Everybody drawn so far, in order."""

    def __init__(self, mix: PatientMix, dates: Dates, sites: Iterable[str], rng: Random) -> None:
        self._mix = mix
        self._dates = dates
        self._every_site = tuple(sites)
        self._rng = rng
        self.all: list[Patient] = []

    def draw(self) -> Patient:
        """Draw somebody who is not a patient yet; :meth:`admit` makes them one."""
        mix, rng = self._mix, self._rng
        number = len(self.all) + 1
        sites = rng.choices(mix.sites, [wish.weight for wish in mix.sites])[0]
        half = rng.choices(mix.halves, [wish.weight for wish in mix.halves])[0]
        return Patient(
            id=f"patient-{number:04}",
            name=f"Patient {number:04}",
            preferred_site=sites.preferred,
            allowed_sites=sites.allowed,
            unavailable=self._away() if rng.random() < mix.away_share else (),
            prefers=half.prefers,
        )

    def flexible(self, patient: Patient) -> Patient:
        """Return a patient as if they could come at any time, to any site."""
        return patient.changed(unavailable=(), allowed_sites=self._every_site)

    def admit(self, patient: Patient) -> Patient:
        """Keep somebody drawn as a patient."""
        self.all.append(patient)
        return patient

    def _away(self) -> tuple[Interval, ...]:
        """Draw the times of absence: mornings, afternoons and whole days."""
        away = []
        for day in self._dates.workdays:
            if self._rng.random() < self._mix.away_day_share:
                midnight = datetime.combine(day, time())
                noon = midnight + timedelta(minutes=NOON_MINUTE)
                night = midnight + ONE_DAY
                start, end = self._rng.choice(((midnight, noon), (noon, night), (midnight, night)))
                away.append(Interval(start=start, end=end))
        return tuple(away)
