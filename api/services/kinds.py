"""What may be asked for when a patient is referred: one literal registry, for all doors.

A kind leads to a pathway of the catalogue, to a seat in a programme, or to another department. Its pathway says when the first
visit is due; its priority is the usual one, which a request may raise or lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduling import catalogue
from scheduling.fields import Priority


@dataclass(frozen=True, slots=True)
class RequestKind:
    """Something that may be asked for.

    Attributes
    ----------
    pathway : str or None
        Where it leads; None: not to an episode here.
    needs : tuple of str
        Fields of a request without which it means nothing.
    """

    id: str
    name: str
    pathway: str | None
    priority: Priority = "routine"
    needs: tuple[str, ...] = ()


GROUP, REFERRAL_OUT = "group", "referral-out"

KINDS: tuple[RequestKind, ...] = (
    # New patients.
    RequestKind("new-patient-acute", "new patient, in pain for under 12 weeks", "new-patient-acute", "soon"),
    RequestKind("new-patient-chronic", "new patient, in pain for over 12 weeks", "new-patient-chronic"),
    RequestKind("after-spinal-surgery", "new patient, pain persists after spinal surgery", "new-patient-chronic"),
    RequestKind(
        "opioid-consultation", "consultation for a primary care physician", "opioid-consultation", "soon", ("referrer",)
    ),
    RequestKind("work-injury", "interdisciplinary evaluation of a work injury", "work-injury", "soon"),
    # Cancer pain.
    RequestKind("cancer-outpatient", "cancer pain, seen the same day as outpatient", "cancer-consult", "cancer"),
    RequestKind("cancer-bedside", "cancer pain, seen the same day at the bedside", "inpatient-consult", "cancer"),
    RequestKind(
        "advanced-cancer-clinic", "Advanced Cancer Pain Clinic, Wednesday afternoon", "advanced-cancer-clinic", "cancer"
    ),
    RequestKind("spinal-drug-delivery", "spinal drug delivery, from the consult on", "spinal-drug-delivery", "cancer"),
    RequestKind("pump-refill", "refills of a pump that the patient has", "pump-refills", "urgent", ("low_reservoir",)),
    # Behavioral medicine.
    RequestKind("behavioral-evaluation", "initial evaluation by psychologist and psychiatrist", "behavioral-intake"),
    RequestKind("cognitive-therapy", "short-term cognitive therapy", "cognitive-therapy"),
    RequestKind("relaxation-training", "relaxation training", "relaxation-training"),
    RequestKind("psychiatry-follow-up", "follow-up by the psychiatrist", "psychiatry-follow-up"),
    RequestKind(GROUP, "seat in a monthly group", None, needs=("programme",)),
    # Therapies and procedures.
    RequestKind("spinal-cord-stimulation", "spinal cord stimulator, from the assessment on", "spinal-cord-stimulation", "soon"),
    RequestKind(
        "dorsal-root-ganglion-stimulation",
        "dorsal root ganglion stimulator, from the assessment on",
        "dorsal-root-ganglion-stimulation",
        "soon",
    ),
    RequestKind("stimulator-programming", "programming of a stimulator", "stimulator-programming"),
    RequestKind("peripheral-nerve-stimulation", "peripheral nerve stimulation", "peripheral-nerve-stimulation"),
    RequestKind(
        "radiofrequency-ablation", "radiofrequency ablation, from the diagnostic injections on", "radiofrequency-ablation"
    ),
    RequestKind("epidural-steroid-injection", "epidural steroid injection", "epidural-steroid-injection"),
    RequestKind("facet-injection", "facet joint injection", "facet-injection"),
    RequestKind("sacroiliac-injection", "sacroiliac joint injection", "sacroiliac-injection"),
    RequestKind("selective-nerve-root-block", "selective nerve root block", "selective-nerve-root-block"),
    RequestKind("piriformis-injection", "piriformis injection", "piriformis-injection"),
    RequestKind("trigger-point-injection", "trigger point injection", "trigger-point-injection"),
    RequestKind("physical-therapy", "physical therapy", "physical-therapy"),
    # Going on with care.
    RequestKind("follow-up", "follow-up visit", "follow-up"),
    RequestKind("medication-management", "medication management", "medication-management"),
    RequestKind("opioid-transition", "moving from opioids to other therapy", "opioid-transition"),
    RequestKind("work-re-entry", "work re-entry", "work-re-entry"),
    RequestKind(REFERRAL_OUT, "patient sent to another department", None, needs=("department",)),
)

KINDS_BY_ID: Mapping[str, RequestKind] = {kind.id: kind for kind in KINDS}


def find_same_day_kind(service: str) -> RequestKind | None:
    """Return the kind by which a service is asked for on the day of the referral and nothing after it; None: there is none."""
    for kind in KINDS:
        steps = () if kind.pathway is None else catalogue.get_pathway(kind.pathway).steps
        if len(steps) == 1 and steps[0].same_day and steps[0].service == service:
            return kind
    return None


NEEDED_BY: Mapping[str, tuple[str, ...]] = {
    field: tuple(kind.id for kind in KINDS if field in kind.needs) for kind in KINDS for field in kind.needs
}
"""For each field that some kinds need, those kinds: to all others it says nothing."""
