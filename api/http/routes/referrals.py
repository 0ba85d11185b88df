"""Cancer patients who are referred and seen the same day, and others who give way to them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.routes.bookings import PLACE, Because, FreePlace
from api.http.routes.changes import JUDGEMENT
from api.services.intake.reception import make_room, preview_room, receive_referral
from api.services.intake.same_day import InboundReferral, SameDayDecision
from api.services.proposals.judgements import Judgement, judge_making_room
from scheduling.comparison import Change
from scheduling.fields import Half, Id, Interval
from scheduling.names import compose_id_if_text, compose_name_if_text
from scheduling.people import Patient

router = make_router("referrals")

Identifier = Annotated[str, Path(max_length=100)]


class NewPatient(BaseModel):
    """A patient whom the clinic does not know yet."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Robin", "allowed_sites": ["boston"]}]})

    name: Annotated[str, Field(max_length=200), BeforeValidator(compose_name_if_text)]
    preferred_site: Id | None = None
    allowed_sites: list[Id]
    unavailable: list[Interval] = []
    another_patient: bool = Field(False, description="Really another, though a known id differs by case alone.")
    prefers: Half | None = None


class ReferralToMake(BaseModel):
    """Who is referred today, for what; ``new_patient`` when the clinic does not know them yet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"patient": "patient-0007", "service": "cancer-consult"}]},
    )

    patient: Annotated[Id, Field(max_length=100), BeforeValidator(compose_id_if_text)]
    service: Id
    new_patient: NewPatient | None = None
    preferred_providers: list[Id] = Field([], max_length=50)
    required_provider: Id | None = None

    def referral(self) -> InboundReferral:
        """Return the referral."""
        new = None
        if self.new_patient is not None:
            document = self.new_patient.model_dump(mode="json", exclude={"another_patient"})
            new = Patient.model_validate_json(json.dumps({"id": self.patient, **document}))
        return InboundReferral(
            self.patient,
            self.service,
            new,
            tuple(self.preferred_providers),
            self.required_provider,
            another_patient=self.new_patient is not None and self.new_patient.another_patient,
        )


class ReferralMade(ResponseModel):
    """The place of the referred patient, or why there is none today: the visit waits then.

    ``changes`` are what else had to change to make room, ``call`` the patients who have to be told of it: of another time, or
    that they wait again.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "visit": "referral-1f0c",
                    "scenario": "week-7",
                    "booking": PLACE,
                    "reasons": [],
                    "changes": [],
                    "call": [],
                }
            ]
        }
    )

    visit: str
    scenario: str = Field(validation_alias="period")
    booking: FreePlace | None
    reasons: list[Because]
    changes: list[Change]
    call: list[str]


class RoomJudgement(BaseModel):
    """Where a visit would be on its day, and what that comes to for others."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"visit": "referral-1f0c", "scenario": "week-7", "booking": PLACE, "judgement": JUDGEMENT}]
        }
    )

    visit: str
    scenario: str
    booking: FreePlace | None
    judgement: Judgement


@router.post(
    "/v1/referrals", status_code=HTTPStatus.CREATED, response_model=ReferralMade, responses=document_problems(404, 409)
)
def refer(body: ReferralToMake, call: Creating) -> Response:
    """Refer a cancer patient, to be seen today: the answer is the place, or the verified reason why there is none."""
    return receive_referral(
        call.context, call.actor, body.referral(), lambda act: call.create(lambda session: _made(act(session)))
    )


@router.post(
    "/v1/visits/{visit}/displacement",
    status_code=HTTPStatus.CREATED,
    response_model=ReferralMade,
    responses=document_problems(409),
)
def displace(visit: Identifier, call: Creating) -> Response:
    """Let the fewest others give way to a visit that has to be on its day and found no place.

    Nobody gives way who has cancer, has to be seen that day, is pinned or about to be seen. A problem says whether it is proven
    that the day cannot take the visit, and names the rules in the way.
    """
    return make_room(call.context, call.actor, visit, lambda act: call.create(lambda session: _made(act(session))))


@router.post("/v1/visits/{visit}/displacement/judgement", response_model=RoomJudgement, responses=document_problems(409))
def judge_displacement(visit: Identifier, call: Reading) -> Response:
    """Say who would give way to a visit that has to be on its day, and who would be called; nothing is done.

    A problem says whether it is proven that the day cannot take the visit, as when it is done.
    """
    decision = preview_room(call.context, call.actor, visit)

    def act(session: Transaction) -> RouteResult:
        place = None if decision.booking is None else FreePlace.of(decision.booking)
        judgement = judge_making_room(session, decision)
        return RouteResult(RoomJudgement(visit=visit, scenario=decision.period, booking=place, judgement=judgement))

    return call.disclose("visit.judge-room", "visit", visit, act)


def _made(made: SameDayDecision) -> RouteResult:
    return RouteResult(ReferralMade.of(made), HTTPStatus.CREATED, location=f"/v1/visits/{made.visit}")
