"""Changes of the world: providers who are away, places that are closed, extra shifts, and whom each concerns."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Page, Paged
from api.services.clinic import disruptions as service
from api.services.clinic.disruptions import DisruptionEffect
from scheduling.disruptions import Disruption, ExtraShift, PlaceClosure, ProviderAbsence, repeat_weekly
from scheduling.fields import Date, Id, Stamp

router = make_router("changes of the world")

Identifier = Annotated[str, Path(max_length=100)]

TIMES: JsonDict = {"from": "2026-12-02T00:00", "to": "2026-12-03T00:00", "reason": "ill"}
CONCERNED: JsonDict = {
    "kind": "visit",
    "id": "visit-0181",
    "scenario": "week-7",
    "start": "2026-12-02T09:00",
    "end": "2026-12-02T09:30",
    "location": "wang",
    "room": "wang-exam-1",
    "team": ["physician-1"],
    "patients": ["patient-0007"],
    "notified": True,
    "task": "77ab",
}
ABSENCE: JsonDict = {"provider": "physician-1", **TIMES}
CLOSURE: JsonDict = {"location": "wang", "room": None, **TIMES, "reason": "burst pipe"}
SHIFT: JsonDict = {
    "provider": "physician-1",
    "locations": ["wang"],
    "from": "2026-12-02T13:00",
    "to": "2026-12-02T17:00",
    "reason": "for those of Monday",
}
SHOWN: JsonDict = {"id": "c81e", "version": 1, "concerns": [CONCERNED]}


def _day_to_stamp(value: Any, days: int) -> Any:
    if isinstance(value, str) and len(value) == len("2026-12-02"):
        try:
            return datetime.combine(datetime.fromisoformat(value).date(), time()) + timedelta(days=days)
        except (ValueError, OverflowError):
            return value
    return value


First = Annotated[Stamp, BeforeValidator(lambda value: _day_to_stamp(value, 0))]
Last = Annotated[Stamp, BeforeValidator(lambda value: _day_to_stamp(value, 1))]


class Times(BaseModel):
    """From when to when, wall-clock; a date stands for the whole day. ``reason`` is for the desk alone."""

    model_config = ConfigDict(extra="forbid")

    start: First = Field(validation_alias="from", description="the first moment, or a date: from its beginning")
    end: Last = Field(validation_alias="to", description="the first moment after it, or a date: until its end")
    reason: str = Field("", max_length=500)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.start < self.end:
            raise ValueError("must end after its start")
        return self


class NewAbsence(Times):
    """A provider who is not there."""

    model_config = ConfigDict(json_schema_extra={"examples": [ABSENCE]})

    provider: Id

    def disruption(self) -> Disruption:
        """Return it as the domain has it."""
        return ProviderAbsence(provider=self.provider, start=self.start, end=self.end)


class WeeklyAbsence(NewAbsence):
    """A provider who is not there at the same hours of each week, as on every Tuesday afternoon."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**ABSENCE, "until": "2027-03-31"}]})

    until: Date = Field(description="the last absence begins on this date, or before it; within 53 weeks")


class NewClosure(Times):
    """A location, or one room, that takes nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{key: value for key, value in CLOSURE.items() if key != "room"}]})

    location: Id | None = None
    room: Id | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.location is None) == (self.room is None):
            raise ValueError("give either a location or a room")
        return self

    def disruption(self) -> Disruption:
        """Return it as the domain has it."""
        return PlaceClosure(place=self.location or self.room or "", start=self.start, end=self.end)


class NewExtraShift(Times):
    """A shift that the roster does not have, at one of some locations."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHIFT]})

    provider: Id
    locations: list[Id] = Field(min_length=1, max_length=20)

    def disruption(self) -> Disruption:
        """Return it as the domain has it."""
        return ExtraShift(provider=self.provider, locations=tuple(self.locations), start=self.start, end=self.end)


class ChangedTimes(BaseModel):
    """What becomes another; what is not given, or null, stays as it is."""

    model_config = ConfigDict(extra="forbid")

    start: First | None = Field(None, validation_alias="from", description="the first moment, or a date: from its beginning")
    end: Last | None = Field(None, validation_alias="to", description="the first moment after it, or a date: until its end")
    reason: str | None = Field(None, max_length=500)

    def fields(self) -> dict[str, Any]:
        """Return what is given, by the names of the domain."""
        return {name: value for name, value in self if value is not None}


class AbsenceChange(ChangedTimes):
    """What becomes another of an absence."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": ABSENCE["to"]}]})

    provider: Id | None = None


class ClosureChange(ChangedTimes):
    """What becomes another of a closure; either a location or a room."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": CLOSURE["to"]}]})

    location: Id | None = None
    room: Id | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.location is not None and self.room is not None:
            raise ValueError("give either a location or a room")
        return self

    def fields(self) -> dict[str, Any]:
        """Return what is given, by the names of the domain."""
        given = super().fields()
        places = [given.pop(name) for name in ("location", "room") if name in given]
        return {**given, "place": places[0]} if places else given


class ExtraShiftChange(ChangedTimes):
    """What becomes another of an extra shift."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": SHIFT["to"]}]})

    provider: Id | None = None
    locations: list[Id] | None = Field(None, min_length=1, max_length=20)


class Concerned(ResponseModel):
    """A visit or session that a change of the world concerns; ``notified``: its patients know of it, and have to be called."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONCERNED]})

    kind: str
    id: str
    scenario: str
    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: list[str]
    patients: list[str]
    notified: bool
    task: str | None


class ShownTimes(ResponseModel):
    """What is shown of each change of the world: its times, and whom it concerns."""

    id: str
    start: Stamp = Field(serialization_alias="from")
    end: Stamp = Field(serialization_alias="to")
    reason: str
    version: int
    concerns: list[Concerned]


class Absence(ShownTimes):
    """An absence, and what stands in its way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**ABSENCE, **SHOWN}]})

    provider: str = Field(validation_alias="provider_id")


class ShownClosure(ShownTimes):
    """A closure, and what stands in its way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**CLOSURE, **SHOWN}]})

    location: str | None
    room: str | None


class ShownExtraShift(ShownTimes):
    """An extra shift, and what stands within it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**SHIFT, **SHOWN}]})

    provider: str = Field(validation_alias="provider_id")
    locations: list[str]


class Absences(ResponseModel):
    """A page of absences."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{**ABSENCE, **SHOWN}], "next": None}]})

    items: list[Absence]
    next: str | None


class Closures(ResponseModel):
    """A page of closures."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{**CLOSURE, **SHOWN}], "next": None}]})

    items: list[ShownClosure]
    next: str | None


class ExtraShifts(ResponseModel):
    """A page of extra shifts."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{**SHIFT, **SHOWN}], "next": None}]})

    items: list[ShownExtraShift]
    next: str | None


@router.get("/v1/absences", response_model=Absences)
def list_absences(call: Reading, page: Paged) -> Response:
    """Return who is away when, a page at a time."""
    return _list(call, page, "absence", Absences, Absence)


@router.post("/v1/absences", status_code=HTTPStatus.CREATED, response_model=Absence, responses=document_problems(409))
def add_absence(body: NewAbsence, call: Creating) -> Response:
    """Let a provider be away. What stands in the way stays until it is moved or planned again, and is a task each."""
    return _add(call, body, Absence, "/v1/absences")


@router.post("/v1/absences/weekly", status_code=HTTPStatus.CREATED, response_model=Absences, responses=document_problems(409))
def add_weekly_absences(body: WeeklyAbsence, call: Creating) -> Response:
    """Let a provider be away at the same hours of each week until a date: an absence each, all or none."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        first = ProviderAbsence(provider=body.provider, start=body.start, end=body.end)
        given = repeat_weekly(first, body.until)
        effects = [service.add_disruption(session, call.actor, absence, body.reason, now) for absence in given]
        items = [_of(Absence, effect) for effect in effects]
        return RouteResult(Absences.model_validate({"items": items, "next": None}), HTTPStatus.CREATED)

    return call.create(act)


@router.get("/v1/absences/{absence}", response_model=Absence, responses=UNCHANGED)
def get_absence(absence: Identifier, call: Fetching) -> Response:
    """Return an absence, and what stands in its way."""
    return _get(call, "absence", absence, Absence)


@router.patch("/v1/absences/{absence}", response_model=Absence, responses=document_problems(409, 412, 428))
def change_absence(absence: Identifier, body: AbsenceChange, call: Changing) -> Response:
    """Make an absence another one; what is not given stays as it is."""
    return _change(call, "absence", absence, body, Absence)


@router.delete("/v1/absences/{absence}", response_model=Absence)
def end_absence(absence: Identifier, call: Reading) -> Response:
    """Take an absence back: the tasks that came of it are done."""
    return _end(call, "absence", absence, Absence)


@router.get("/v1/closures", response_model=Closures)
def list_closures(call: Reading, page: Paged) -> Response:
    """Return what is closed when, beside the roster's closures, a page at a time."""
    return _list(call, page, "closure", Closures, ShownClosure)


@router.post("/v1/closures", status_code=HTTPStatus.CREATED, response_model=ShownClosure, responses=document_problems(409))
def add_closure(body: NewClosure, call: Creating) -> Response:
    """Close a location or a room. What stands in it stays until it is moved or planned again, and is a task each."""
    return _add(call, body, ShownClosure, "/v1/closures")


@router.get("/v1/closures/{closure}", response_model=ShownClosure, responses=UNCHANGED)
def get_closure(closure: Identifier, call: Fetching) -> Response:
    """Return a closure, and what stands in its way."""
    return _get(call, "closure", closure, ShownClosure)


@router.patch("/v1/closures/{closure}", response_model=ShownClosure, responses=document_problems(409, 412, 428))
def change_closure(closure: Identifier, body: ClosureChange, call: Changing) -> Response:
    """Make a closure another one; what is not given stays as it is."""
    return _change(call, "closure", closure, body, ShownClosure)


@router.delete("/v1/closures/{closure}", response_model=ShownClosure)
def end_closure(closure: Identifier, call: Reading) -> Response:
    """Take a closure back: the tasks that came of it are done."""
    return _end(call, "closure", closure, ShownClosure)


@router.get("/v1/extra-shifts", response_model=ExtraShifts)
def list_extra_shifts(call: Reading, page: Paged) -> Response:
    """Return the shifts that the roster does not have, a page at a time."""
    return _list(call, page, "extra-shift", ExtraShifts, ShownExtraShift)


@router.post(
    "/v1/extra-shifts", status_code=HTTPStatus.CREATED, response_model=ShownExtraShift, responses=document_problems(409)
)
def add_extra_shift(body: NewExtraShift, call: Creating) -> Response:
    """Let a provider work more than the roster says."""
    return _add(call, body, ShownExtraShift, "/v1/extra-shifts")


@router.get("/v1/extra-shifts/{shift}", response_model=ShownExtraShift, responses=UNCHANGED)
def get_extra_shift(shift: Identifier, call: Fetching) -> Response:
    """Return an extra shift, and what stands within it."""
    return _get(call, "extra-shift", shift, ShownExtraShift)


@router.patch("/v1/extra-shifts/{shift}", response_model=ShownExtraShift, responses=document_problems(409, 412, 428))
def change_extra_shift(shift: Identifier, body: ExtraShiftChange, call: Changing) -> Response:
    """Make an extra shift another one; what stood within it and cannot be any more is a task each."""
    return _change(call, "extra-shift", shift, body, ShownExtraShift)


@router.delete("/v1/extra-shifts/{shift}", response_model=ShownExtraShift)
def end_extra_shift(shift: Identifier, call: Reading) -> Response:
    """Take an extra shift back; what stood within it and cannot be any more is a task each."""
    return _end(call, "extra-shift", shift, ShownExtraShift)


New = NewAbsence | NewClosure | NewExtraShift


def _list(call: Reading, page: Page, kind: Any, pages: type[ResponseModel], model: type[ShownTimes]) -> Response:
    def act(session: Transaction) -> RouteResult:
        effects = service.list_disruptions(session, kind, page.after, page.count + 1, call.context.clock())
        return RouteResult(page.of(pages, [_of(model, effect) for effect in effects], lambda shown: shown.id))

    return call.disclose(f"{kind}.list", kind, "", act)


def _get(call: Fetching, kind: Any, identifier: str, model: type[ShownTimes]) -> Response:
    def act(session: Transaction) -> RouteResult:
        return _show(model, service.get_disruption(session, kind, identifier, call.context.clock()))

    return call.disclose(f"{kind}.read", kind, identifier, act)


def _add(call: Creating, body: New, model: type[ShownTimes], path: str) -> Response:
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        effect = service.add_disruption(session, call.actor, body.disruption(), body.reason, now)
        return _show(model, effect, HTTPStatus.CREATED, f"{path}/{effect.row.id}")

    return call.create(act)


def _change(call: Changing, kind: Any, identifier: str, body: ChangedTimes, model: type[ShownTimes]) -> Response:
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        return _show(model, service.change_disruption(session, call.actor, kind, identifier, version, body.fields(), now))

    return call.write(act)


def _end(call: Reading, kind: Any, identifier: str, model: type[ShownTimes]) -> Response:
    def act(session: Transaction) -> RouteResult:
        effect = service.end_disruption(session, call.actor, kind, identifier, None, call.context.clock())
        return RouteResult(_of(model, effect))

    return call.write(act)


def _show(
    model: type[ShownTimes], effect: DisruptionEffect, status: int = HTTPStatus.OK, location: str | None = None
) -> RouteResult:
    return RouteResult(_of(model, effect), status, effect.row.version, location)


def _of(model: type[ShownTimes], effect: DisruptionEffect) -> ShownTimes:
    return model.of(effect.row, start=effect.start, end=effect.end, concerns=effect.concerns)
