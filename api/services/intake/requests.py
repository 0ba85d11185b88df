"""Intake: whatever a patient is referred for, by whatever door it comes, becomes something that can be planned.

Each request is held against what is known, with every fault named; either all requests of a call are taken in, or none. A
patient who is on the same pathway already is named, not put on it twice. To whom the same day matters is asked for at once,
and is given a place by :mod:`api.services.intake.same_day`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlmodel import Session

from api.access.actor import Actor
from api.services.care.episodes import request_open_visits
from api.services.intake.kinds import GROUP, REFERRAL_OUT, RequestKind, find_kind, get_kind, list_kinds, list_needing_kinds
from api.services.intake.request_forms import (
    AcceptedRequest,
    IntakeReview,
    KnownRequest,
    LocatedRequest,
    Request,
    StandingRequest,
    locate,
)
from api.services.patients.finding import describe_merged, describe_twin, find_resembling
from api.services.records import AuditedAction, write_audit_entries
from api.store.columns import new_id
from api.store.queries import episodes, people, periods, programmes, referrals_out
from api.store.queries.episodes import Origin
from api.store.queries.people import PatientIdentity
from api.store.tables import EpisodeRow
from scheduling import catalogue
from scheduling.care.episodes import Episode, Event
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Priority
from scheduling.names import fold
from scheduling.pathways import Pathway

MAX_DAYS_BACK = 366
"""How long ago a referral may have been made that is taken in only now."""


def is_same_day(request: Request) -> bool:
    """Return whether a request is of a kind whose patients are seen on the day of the referral."""
    kind = find_kind(request.kind)
    return kind is not None and kind.pathway is not None and catalogue.get_pathway(kind.pathway).steps[0].same_day


def find_faults(session: Session, placed: Sequence[LocatedRequest], now: datetime) -> list[Fault]:
    """Return what is wrong with requests, as they would be taken in now."""
    return list(IntakeContext(session, [located.request for located in placed], now).find_faults(placed))


def review_requests(session: Session, placed: Sequence[LocatedRequest], now: datetime) -> IntakeReview:
    """Return what requests would come to, taken in now: a sheet that is sent again brings what is new of it."""
    return IntakeContext(session, [located.request for located in placed], now).review(placed)


def accept_requests(
    session: Session, by: Actor, placed: Sequence[LocatedRequest], now: datetime, source: str = "body"
) -> list[AcceptedRequest]:
    """Take in requests, all or none.

    Raises
    ------
    InvalidFile
        With every fault of every request.
    """
    context = IntakeContext(session, [located.request for located in placed], now)
    if faults := list(context.find_faults(placed)):
        raise InvalidFile(source, faults)
    requests = [located.request for located in placed]
    named = [request for request in reversed(requests) if request.patient not in context.known and request.name is not None]
    new = {request.patient: request.new_patient(context.sites) for request in named}
    resembling = {
        patient: find_resembling(session, patient, request.name or "", request.birth_date)
        for request in named
        if (patient := request.patient) in new
    }
    people.put_patients(session, new.values(), now)
    people.set_birth_dates(session, {request.patient: request.birth_date for request in requests if request.birth_date})
    made = [(request, context.start_episode(request)) for request in requests if get_kind(request.kind).pathway is not None]
    episodes.add(
        session, [(episode, Origin(request.kind, request.referrer, request.needs.dump())) for request, episode in made], now
    )
    asked = request_open_visits(session, [episode for _, episode in made], now)
    for request in requests:
        if request.kind == GROUP and request.programme:
            since = request.referred_on or context.today
            programmes.add_waiting(session, request.programme, request.patient, context.get_priority(request), since)
    sent = {
        id(request): referrals_out.send(session, request.patient, request.department, now).id
        for request in requests
        if request.kind == REFERRAL_OUT and request.department
    }
    session.flush()
    of = {id(request): episode.id for request, episode in made}
    taken = [
        AcceptedRequest(
            request,
            of.get(id(request)),
            tuple(asked.get(of.get(id(request), ""), ())),
            sent.get(id(request)),
            resembling.get(request.patient, ()),
        )
        for request in requests
    ]
    audit_intake(session, by, new, [(accepted.request.patient, _audited(accepted)) for accepted in taken], now)
    return taken


def audit_intake(
    session: Session, by: Actor, new: Iterable[str], taken: Iterable[tuple[str, Mapping[str, str | None]]], now: datetime
) -> None:
    """Write down which patients are new, and what patients were taken in for, by whatever door."""
    entries: list[AuditedAction] = [("patient.add", "patient", patient, {}) for patient in new]
    for patient, detail in taken:
        entries.append(("intake.take", "patient", patient, {name: value for name, value in detail.items() if value}))
    write_audit_entries(session, by, entries, now)


def _audited(accepted: AcceptedRequest) -> Mapping[str, str | None]:
    return {"kind": accepted.request.kind, "episode": accepted.episode, "referral_out": accepted.referral_out}


class IntakeContext:
    """What requests are held against: who is known, what they are on already, and what there is."""

    def __init__(self, session: Session, requests: Sequence[Request], now: datetime) -> None:
        patients = {request.patient for request in requests}
        zone = periods.get_zone(session)
        self.today: date = zone.wall(now).date()
        self._known_at = zone.wall(now).replace(second=0, microsecond=0)
        self._clinic = periods.clinic_of(session)
        self.known: Mapping[str, PatientIdentity] = people.find_identities(session, patients)
        self._twins = people.find_case_twins(session, patients)
        self._first_spelled = {fold(request.patient): request.patient for request in reversed(requests)}
        self._providers = people.list_provider_ids(session)
        self._programmes = programmes.list_ids(session)
        self._session = session
        self._open = {(row.patient_id, row.pathway): row for row in episodes.load_of_patients(session, patients)}
        self._in_groups = programmes.waiting_and_members(session, patients, self.today)
        self._sent = referrals_out.open_of(session, patients)

    @cached_property
    def sites(self) -> tuple[str, ...]:
        """The ids of the clinic's sites."""
        return tuple(site.id for site in self._clinic.sites)

    @cached_property
    def _services(self) -> frozenset[str]:
        return frozenset(service.id for service in self._clinic.services)

    def find_faults(self, placed: Sequence[LocatedRequest]) -> Iterator[Fault]:
        """Yield what is wrong with requests, each by its place; what is open already is wrong too."""
        review = self.review(placed)
        order = {located.place: number for number, located in enumerate(placed)}
        standing = [(known.located, locate(known.located, known.fault)) for known in review.in_already]
        standing += [(known.located, known.conflict) for known in review.conflicts]
        faults = [*review.faults, *standing]
        yield from (fault for _, fault in sorted(faults, key=lambda pair: order[pair[0].place]))

    def review(self, placed: Sequence[LocatedRequest]) -> IntakeReview:
        """Tell requests that are new from those that are in already, differ from what is in, or make no sense."""
        before: dict[tuple[str, ...], str] = {}
        review = IntakeReview()
        names = {
            located.request.patient: located.request.name for located in reversed(placed) if located.request.name is not None
        }
        for located in placed:
            faults = list(self._faults(located.request, names))
            corrected = self._list_corrections(located.request)
            is_sound = all(fault.path in corrected for fault in faults)
            key, standing = self._find_standing(located.request) if is_sound else ((), None)
            if faults and standing is None:
                review.faults.extend((located, locate(located, fault)) for fault in faults)
                continue
            if key in before:
                fault = Fault("kind", f"is asked for already at {before[key].rstrip('., ')}")
                review.faults.append((located, locate(located, fault)))
            elif standing is None:
                review.new.append(located)
            else:
                known = KnownRequest(located, standing.fault, (*corrected, *standing.differences))
                (review.conflicts if known.differences else review.in_already).append(known)
            before.setdefault(key, located.place)
        return review

    def start_episode(self, request: Request) -> Episode:
        """Return the episode that begins with a request."""
        pathway = get_kind(request.kind).pathway
        assert pathway is not None
        history = [Event(kind="referred", known=self._known_at, date=request.referred_on or self.today)]
        if request.low_reservoir is not None:
            history.append(Event(kind="dated", known=self._known_at, name="low-reservoir", date=request.low_reservoir))
        return Episode(
            id=f"episode-{new_id()[:12]}",
            pathway=pathway,
            patient=request.patient,
            priority=self.get_priority(request),
            preferred_providers=request.preferred_providers,
            history=tuple(history),
        )

    def get_priority(self, request: Request) -> Priority:
        """Return the priority of a request."""
        return request.priority or get_kind(request.kind).priority

    def _faults(self, request: Request, names: Mapping[str, str]) -> Iterator[Fault]:
        yield from self._patient_faults(request, names)
        for field, known in (("preferred_site", self.sites), ("allowed_sites", self.sites)):
            given = getattr(request, field)
            for site in (given,) if isinstance(given, str) else given or ():
                if site not in known:
                    yield Fault(field, f'unknown site "{site}"; one of {", ".join(known)}')
        pools = {pool.id for pool in self._clinic.equipment}
        for pool in request.equipment:
            if pool not in pools:
                yield Fault("equipment", f'unknown equipment "{pool}"; one of {", ".join(sorted(pools))}')
        for provider in request.preferred_providers:
            if provider not in self._providers:
                yield Fault("preferred_providers", f'unknown provider "{provider}"')
        if request.referred_on is not None:
            yield from self._date_faults(request.referred_on)
        kind = find_kind(request.kind)
        if kind is None:
            yield Fault("kind", f'unknown kind "{request.kind}"; one of {", ".join(kind.id for kind in list_kinds())}')
        else:
            yield from self._kind_faults(request, kind)

    def _patient_faults(self, request: Request, names: Mapping[str, str]) -> Iterator[Fault]:
        known = self.known.get(request.patient)
        if known is not None and known.merged_into is not None:
            yield Fault("patient", describe_merged(known.merged_into))
            return
        name = names.get(request.patient) if known is None else known.name
        if name is None:
            yield Fault("name", "is missing: the patient is not known yet")
        elif request.name is not None and fold(name) != fold(request.name):
            yield Fault("name", f'is not that of patient "{request.patient}"; correct the patient, or leave the name out')
        if not request.another_patient and (twin := self._find_twin(request.patient)):
            yield Fault("patient", describe_twin(twin))
        born = None if known is None else known.birth_date
        if born is not None and request.birth_date not in (None, born):
            yield Fault("birth_date", f'is not that of patient "{request.patient}"; correct the patient, or leave it out')
        elif request.birth_date is not None and request.birth_date > self.today:
            yield Fault("birth_date", f"{request.birth_date} is after today, {self.today}")

    def _list_corrections(self, request: Request) -> tuple[str, ...]:
        """Return the fields in which a request has a known patient otherwise than they are known."""
        known = self.known.get(request.patient)
        if known is None or known.merged_into is not None:
            return ()
        named, born = request.name, request.birth_date
        is_other = {
            "name": named is not None and fold(named) != fold(known.name),
            "birth_date": born not in (None, known.birth_date),
        }
        return tuple(field for field, differs in is_other.items() if differs)

    def _find_twin(self, patient: str) -> str | None:
        """Return the known patient, or the first of these requests, from whose id one differs by case alone."""
        first = self._first_spelled[fold(patient)]
        return self._twins.get(patient) or (first if patient not in self.known and first != patient else None)

    def _date_faults(self, referred_on: date) -> Iterator[Fault]:
        if referred_on > self.today:
            yield Fault("referred_on", f"{referred_on} is after today, {self.today}")
        elif referred_on < self.today - timedelta(days=MAX_DAYS_BACK):
            yield Fault("referred_on", f"{referred_on} is more than {MAX_DAYS_BACK} days ago")

    def _kind_faults(self, request: Request, kind: RequestKind) -> Iterator[Fault]:
        for field, kinds in list_needing_kinds().items():
            given = getattr(request, field)
            if field in kind.needs and given is None:
                yield Fault(field, f"is missing: {kind.id} needs it")
            elif field not in kind.needs and given is not None and field != "referrer":
                yield Fault(field, f"is only for {', '.join(kinds)}; leave it out")
        if kind.pathway is not None and (missing := self._not_offered(catalogue.get_pathway(kind.pathway))):
            yield Fault("kind", f"the clinic does not offer {', '.join(missing)}")
        if request.programme is not None and kind.id == GROUP and request.programme not in self._programmes:
            yield Fault("programme", f'unknown programme "{request.programme}"; one of {", ".join(sorted(self._programmes))}')
        departments = [department.id for department in catalogue.list_outside_departments()]
        if request.department is not None and kind.id == REFERRAL_OUT and request.department not in departments:
            yield Fault("department", f'unknown department "{request.department}"; one of {", ".join(departments)}')
        if request.low_reservoir is not None and request.low_reservoir < self.today:
            yield Fault("low_reservoir", f"{request.low_reservoir} is past: have the pump refilled today, then give the next")

    def _not_offered(self, pathway: Pathway) -> list[str]:
        return sorted({step.service for step in pathway.steps} - self._services)

    def _find_standing(self, request: Request) -> tuple[tuple[str, ...], StandingRequest | None]:
        """Return what makes two requests the same, and what is open of that already."""
        kind = get_kind(request.kind)
        if kind.pathway is not None:
            row = self._open.get((request.patient, kind.pathway))
            return (request.patient, "pathway", kind.pathway), None if row is None else self._compare(request, row)
        if kind.id == GROUP:
            assert request.programme is not None
            fault = Fault("programme", "the patient has a seat in it, or waits for one, already")
            is_in = (request.programme, request.patient) in self._in_groups
            return (request.patient, GROUP, request.programme), StandingRequest(fault) if is_in else None
        assert request.department is not None
        sent = self._sent.get((request.patient, request.department))
        fault = Fault("department", f'the patient is referred there already: referral "{sent}"')
        return (request.patient, REFERRAL_OUT, request.department), StandingRequest(fault) if sent else None

    def _compare(self, request: Request, row: EpisodeRow) -> StandingRequest:
        """Return an episode that is open, and in which fields a request, which leaves out nothing that it means, differs."""
        history = self._histories[row.id].history
        reservoir = next((event.date for event in history if event.name == "low-reservoir"), None)
        pairs: dict[str, tuple[object, object]] = {
            "kind": (request.kind, row.kind),
            "referred_on": (request.referred_on or history[0].date, history[0].date),
            "priority": (self.get_priority(request), row.priority),
            "preferred_providers": (request.preferred_providers, tuple(row.preferred_providers)),
            "referrer": (request.referrer, row.referrer),
            "low_reservoir": (request.low_reservoir, reservoir),
            "needs": (request.needs.dump(), row.needs),
        }
        differences = tuple(field for field, (asked, known) in pairs.items() if asked != known)
        return StandingRequest(Fault("kind", f'the patient is on this pathway already: episode "{row.id}"'), differences)

    @cached_property
    def _histories(self) -> Mapping[str, Episode]:
        return episodes.load(self._session, [row.id for row in self._open.values()])
