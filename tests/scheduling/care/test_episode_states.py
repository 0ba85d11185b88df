"""Episodes on every pathway, planned anywhere in their windows, missed, called off, stopped and begun again.

The judge of care (:mod:`scheduling.care.rules`) knows nothing of windows: whoever plans within them has to satisfy it.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from support.histories import stamped

from scheduling import catalogue
from scheduling.care.episodes import Episode, Event, get_state, record_events
from scheduling.care.rules import CareHistory, PastVisit, find_care_violations
from scheduling.care.windows import OpenStep, is_weekday, list_open_steps, list_void_visits
from scheduling.errors import EventRefused
from scheduling.pathways import Occurrence

MONDAY = date(2026, 11, 30)
FAR_DAYS = 30
"""Days after its first date on which a visit without a last one is planned at the latest."""

MOST_PLANNED = 12
"""Visits of a pathway that can stand at once, and more."""

ROLES = {"psy-1": "psychologist", "cancer-1": "cancer-pain-physician", "palliative-1": "palliative-physician"}
CLINIC = "advanced-cancer-visit"


class Course(RuleBasedStateMachine):
    """One episode; time passes from one planned visit to the next, so that no window is missed."""

    @initialize(pathway=st.sampled_from([pathway.id for pathway in catalogue.list_pathways()]), weekday=st.integers(0, 4))
    def refer(self, pathway: str, weekday: int) -> None:
        self.pathway = catalogue.get_pathway(pathway)
        self.today = MONDAY + timedelta(days=weekday)
        first = Event(kind="referred", known=stamped(self.today), date=self.today)
        self.episode = Episode(id="e", pathway=pathway, patient="pat", priority="routine", history=(first,))
        self.told = CareHistory(until=self.today, referred={"e": self.today}, kinds={"e": pathway}, roles=ROLES)
        self.places: dict[str, tuple[Occurrence, date]] = {}
        self.used: set[str] = set()
        self.begun_again = False
        self._missed: set[str] = set()

    # ---- What may happen ----

    def is_open(self) -> bool:
        return get_state(self.episode, self.pathway) == "open"

    def steps(self) -> tuple[OpenStep, ...]:
        return list_open_steps(self.episode, self.pathway, self.today)

    @precondition(is_open)
    @rule(data=st.data())
    def plan(self, data: st.DataObject) -> None:
        """Plan every visit whose visits before are done or planned, on some day of its window."""
        for _ in range(MOST_PLANNED):
            ready = [step for step in self.steps() if step.certain and step.planned is None and self._has_before(step)]
            if not ready:
                return
            step = ready[0]
            days = self._days(step)
            if not days and self.pathway.step(step.occurrence.step).deadline and step.occurrence.step in self._missed:
                return  # the last working day before the world's date was missed: nothing can make up for it
            assert days, f"{step.occurrence} has no day from {step.earliest} to {step.latest}"
            day = data.draw(st.sampled_from([days[0], days[len(days) // 2], days[-1]]))
            for part in self._parts(step.occurrence):
                self._record("planned", part, day)
        raise AssertionError("what is planned is asked for again and again")

    def _parts(self, occurrence: Occurrence) -> list[Occurrence]:
        """Return the visits of one day that a visit is a part of, in order: they are planned at once."""
        order = [step.id for step in self.pathway.steps]
        return sorted(self.pathway.bundle(occurrence), key=lambda part: (order.index(part.step), part.number))

    def _has_before(self, step: OpenStep) -> bool:
        """Return whether all before it stands; what goes on with a bundle that has begun is planned visit by visit."""
        opened = {step.occurrence: step for step in self.steps()}
        if step.after and any(lag.together and not lag.same_day for _, lag in step.after):
            first = next(b for b, a, lag in self.pathway.lags() if lag.together)
            if first not in opened:
                return False
        return all(opened[before].planned is not None for before, _ in step.after)

    def _days(self, step: OpenStep) -> list[date]:
        late = step.is_late(self.today)
        assert not late or self.begun_again, "whoever plans within windows is late only after a stop"
        last = step.earliest + timedelta(days=FAR_DAYS) if late or step.latest is None else step.latest
        days = (step.earliest + timedelta(days=n) for n in range((last - step.earliest).days + 1))
        return [
            day
            for day in days
            if is_weekday(day) and (step.service != CLINIC or day.weekday() == 2) and self._goes_on(step, day)
        ]

    def _goes_on(self, step: OpenStep, day: date) -> bool:
        """Return whether the visits that go together with a visit find working days after it."""
        one, at = step.occurrence, day
        opened = {other.occurrence for other in self.steps()}
        if any(a == one and lag.together and b not in opened for b, a, lag in self.pathway.lags()):
            return True
        for before, after, lag in self.pathway.lags():
            if before == one and lag.together:
                assert lag.max_days is not None
                days = (at + timedelta(days=n) for n in range(lag.min_days, lag.max_days + 1))
                found = next((later for later in days if is_weekday(later)), None)
                if found is None:
                    return False
                one, at = after, found
        return True

    def _next(self) -> OpenStep | None:
        planned = [step for step in self.steps() if step.planned is not None]
        order = {step.id: number for number, step in enumerate(self.pathway.steps)}
        return min(
            planned,
            key=lambda step: (
                step.planned.date if step.planned else date.max,
                order[step.occurrence.step],
                step.occurrence.number,
            ),
            default=None,
        )

    @precondition(is_open)
    @rule(comes=st.sampled_from([True, True, True, False]), hoped=st.booleans(), relief=st.integers(0, 100))
    def live_on(self, comes: bool, hoped: bool, relief: int) -> None:
        """Live on to the next visit that is planned; its patient comes, or does not."""
        step = self._next()
        if step is None or step.planned is None:
            return
        self.today = max(self.today, step.planned.date)
        one = step.occurrence
        comes = comes or self._has_begun(one)
        self._tell(step, step.planned.date, came=comes)
        self._missed |= set() if comes else {one.step}
        self._record("done" if comes else "no-show", one, step.planned.date)
        of = self.pathway.step(one.step)
        if comes and of.outcomes and one.number == of.times and self.is_open():
            self._decide(one, hoped, relief)
        if (
            comes
            and self.is_open()
            and any(other.deadline for other in self.pathway.steps)
            and one.step in ("implant", "refill")
        ):
            low = self.today + timedelta(days=45)
            self._take(Event(kind="dated", known=stamped(self.today, 18), name="low-reservoir", date=low))
            self.told.reservoirs.setdefault("e", []).append((self.today, low))
        self._give_up_void()

    def _has_begun(self, occurrence: Occurrence) -> bool:
        """Return whether a patient is there already, for another part of the day."""
        return any(part not in {step.occurrence for step in self.steps()} for part in self.pathway.bundle(occurrence))

    def _decide(self, occurrence: Occurrence, hoped: bool, relief: int) -> None:
        of = self.pathway.step(occurrence.step)
        if of.relief_over_percent is not None:
            came, good = {"relief_percent": relief}, relief > 50
        else:
            came, good = {"outcome": of.outcomes[0 if hoped else 1].id}, hoped
        self._take(Event(kind="outcome", known=stamped(self.today, 17), step=occurrence.step, **came))
        self.told.outcomes.setdefault(("e", of.service), []).append((self.today, good))

    @precondition(is_open)
    @rule()
    def call_off(self) -> None:
        """The patient calls off the next visit, the day before or the same day."""
        step = self._next()
        if step is None or step.planned is None:
            return
        day = step.planned.date
        if self._has_begun(step.occurrence):
            return
        self.today = max(self.today, day - timedelta(days=1))
        self._tell(step, day, came=False)
        self._record("cancelled", step.occurrence, day)
        self._give_up_void()

    @precondition(is_open)
    @rule()
    def lose_the_place_to_others(self) -> None:
        """The clinic gives the next visit's place to others; its dates are what they were."""
        step = self._next()
        if step is None or step.planned is None or self._has_begun(step.occurrence):
            return
        before = {step.occurrence: (step.since, step.target, step.latest) for step in self.steps()}
        self._record("withdrawn", step.occurrence, step.planned.date)
        now = {step.occurrence: step for step in self.steps()}[step.occurrence]
        assert now.planned is None and (now.since, now.target, now.latest) == before[step.occurrence]
        self._give_up_void()

    @precondition(is_open)
    @rule()
    def stop(self) -> None:
        if any(self._has_begun(step.occurrence) for step in self.steps()):
            return
        self._take(Event(kind="stopped", known=stamped(self.today, 19), date=self.today))
        assert self.steps() == ()
        self.told.stopped["e"] = self.today

    @precondition(lambda self: not self.is_open())
    @rule(days=st.integers(0, 90))
    def begin_again(self, days: int) -> None:
        self.today += timedelta(days=days)
        while not is_weekday(self.today):
            self.today += timedelta(days=1)
        self._take(Event(kind="restarted", known=stamped(self.today, 7), date=self.today))
        self.begun_again = True

    # ---- Bookkeeping ----

    def _take(self, event: Event) -> None:
        self.episode = record_events(self.episode, self.pathway, event)

    def _record(self, kind: str, occurrence: Occurrence, day: date) -> None:
        who = ("cancer-1", "palliative-1") if self.pathway.step(occurrence.step).service == CLINIC else ("psy-1",)
        known = min(self.today, day) if kind == "cancelled" else self.today
        step, number = occurrence
        told = {"kind": kind, "known": stamped(known), "step": step, "number": number, "date": day, "team": who}
        self._take(Event.model_validate(told))

    def _tell(self, step: OpenStep, day: date, came: bool) -> None:
        order = [step.id for step in self.pathway.steps].index(step.occurrence.step)
        hour = 13 if step.service == CLINIC else 8 + order
        who = ("cancer-1", "palliative-1") if step.service == CLINIC else ("psy-1",)
        where = "yawkey" if step.service == CLINIC else "wang"
        start, end = stamped(day, hour), stamped(day, hour) + timedelta(minutes=45)
        attended = PastVisit("e", "pat", step.service, start, end, where, who, came=came, called_off=not came)
        self.told.visits.append(attended)
        if came:
            assert step.visit not in self.used, "an id stands for one visit"
            self.used.add(step.visit)

    def _give_up_void(self) -> None:
        """Cancel what stands in the plan for nothing, as whoever keeps the plan does."""
        if not self.is_open():
            return
        gone = list_void_visits(self.episode, self.pathway, self.today)
        progress_of = {
            one: event.date for event in self.episode.history if (one := event.occurrence) and event.kind == "planned"
        }
        for one, day in progress_of.items():
            if any(visit == f"e.{one}" or visit.startswith(f"e.{one}.") for visit in gone):
                assert day is not None
                self._record("cancelled", one, day)
        assert list_void_visits(self.episode, self.pathway, self.today) == ()

    # ---- What always holds ----

    @invariant()
    def nothing_is_planned_but_while_it_goes_on(self) -> None:
        if hasattr(self, "episode") and not self.is_open():
            assert self.steps() == ()
            with pytest.raises(EventRefused):
                self._record("planned", Occurrence(self.pathway.steps[0].id, 1), self.today)

    @invariant()
    def windows_are_whole(self) -> None:
        if not hasattr(self, "episode"):
            return
        found = self.steps()
        assert len({step.visit for step in found}) == len(found)
        for step in found:
            assert step.earliest >= self.today
            assert step.since <= step.earliest
            if step.settled and step.certain and step.latest is not None and not step.is_late(self.today):
                assert self.pathway.step(step.occurrence.step).deadline or self._reaches(step)

    def _reaches(self, step: OpenStep) -> bool:
        assert step.latest is not None
        return any(is_weekday(step.earliest + timedelta(days=n)) for n in range((step.latest - step.earliest).days + 1))

    @invariant()
    def care_is_as_it_has_to_be(self) -> None:
        if not hasattr(self, "episode") or self.begun_again or (self._missed and self.told.reservoirs):
            return
        if all(not self._has_begun(step.occurrence) for step in self.steps()):
            self.told.until = self.today
            self.told.__dict__.pop("courses", None)
            care_violations = find_care_violations(self.told)
            assert not care_violations, care_violations


CALM = (HealthCheck.filter_too_much, HealthCheck.too_slow)
Course.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=CALM)
TestCourse = Course.TestCase


@pytest.mark.heavy
def test_many_courses():
    many = settings(max_examples=600, stateful_step_count=50, deadline=None, suppress_health_check=CALM)
    run_state_machine_as_test(Course, settings=many)
