"""Cancer patients who are referred and seen the same day, and others who give way to them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.answers import RouteResult
from api.http.dependencies import Creating
from api.http.errors import documented
from api.http.gate import guarded_router
from api.http.routes.bookings import PLACE, Because, FreePlace, place_document
from api.services import referrals as service
from api.services.reception import make_room
from api.services.referrals import InboundReferral, SameDayPlacement
from api.services.week import decided
from scheduling.comparison import Change
from scheduling.fields import Half, Id, Interval
from scheduling.people import Patient

router = guarded_router("referrals")

Identifier = Annotated[str, Path(max_length=100)]


class NewPatient(BaseModel):
    """A patient whom the clinic does not know yet."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Robin", "allowed_sites": ["boston"]}]})

    name: str = Field(max_length=200)
    preferred_site: Id | None = None
    allowed_sites: list[Id]
    unavailable: list[Interval] = []
    prefers: Half | None = None


class ReferralToMake(BaseModel):
    """Who is referred today, for what; ``new_patient`` when the clinic does not know them yet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"patient": "patient-0007", "service": "cancer-consult"}]},
    )

    patient: Id = Field(max_length=100)
    service: Id
    new_patient: NewPatient | None = None
    preferred_providers: list[Id] = Field([], max_length=50)
    required_provider: Id | None = None

    def referral(self) -> InboundReferral:
        """Return the referral."""
        new = None
        if self.new_patient is not None:
            new = Patient.model_validate_json(json.dumps({"id": self.patient, **self.new_patient.model_dump(mode="json")}))
        return InboundReferral(self.patient, self.service, new, tuple(self.preferred_providers), self.required_provider)


class ReferralMade(BaseModel):
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
    scenario: str
    booking: FreePlace | None
    reasons: list[Because]
    changes: list[Change]
    call: list[str]


@router.post("/v1/referrals", status_code=HTTPStatus.CREATED, response_model=ReferralMade, responses=documented(404, 409))
def refer(body: ReferralToMake, call: Creating) -> Response:
    """Refer a cancer patient, to be seen today: the answer is the place, or the verified reason why there is none."""
    now, referral, database = call.context.clock(), body.referral(), call.context.database
    period = service.period_today(database, now)
    return decided(
        call.context,
        period,
        lambda week: service.referred(week, call.actor, referral, service.known_patient(database, referral), now),
        lambda act: call.create(lambda session: _made(act(session))),
    )


@router.post(
    "/v1/visits/{visit}/displacement", status_code=HTTPStatus.CREATED, response_model=ReferralMade, responses=documented(409)
)
def displace(visit: Identifier, call: Creating) -> Response:
    """Let the fewest others give way to a visit that has to be on its day and found no place.

    Nobody gives way who has cancer, has to be seen that day, is pinned or about to be seen. A problem says whether it is proven
    that the day cannot take the visit, and names the rules in the way.
    """
    return make_room(call.context, call.actor, visit, lambda act: call.create(lambda session: _made(act(session))))


def _made(made: SameDayPlacement) -> RouteResult:
    document = {
        "visit": made.visit,
        "scenario": made.period,
        "booking": None if made.booking is None else place_document(made.booking),
        "reasons": [one.model_dump() for one in made.reasons],
        "changes": [one.model_dump(mode="json") for one in made.changes],
        "call": list(made.call),
    }
    return RouteResult(document, HTTPStatus.CREATED, location=f"/v1/visits/{made.visit}")
