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
class Kind:
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

KINDS: tuple[Kind, ...] = (
    # New patients.
    Kind("new-patient-acute", "new patient, in pain for under 12 weeks", "new-patient-acute", "soon"),
    Kind("new-patient-chronic", "new patient, in pain for over 12 weeks", "new-patient-chronic"),
    Kind("after-spinal-surgery", "new patient, pain persists after spinal surgery", "new-patient-chronic"),
    Kind("opioid-consultation", "consultation for a primary care physician", "opioid-consultation", "soon", ("referrer",)),
    Kind("work-injury", "interdisciplinary evaluation of a work injury", "work-injury", "soon"),
    # Cancer pain.
    Kind("cancer-outpatient", "cancer pain, seen the same day as outpatient", "cancer-consult", "cancer"),
    Kind("cancer-bedside", "cancer pain, seen the same day at the bedside", "inpatient-consult", "cancer"),
    Kind("advanced-cancer-clinic", "Advanced Cancer Pain Clinic, Wednesday afternoon", "advanced-cancer-clinic", "cancer"),
    Kind("spinal-drug-delivery", "spinal drug delivery, from the consult on", "spinal-drug-delivery", "cancer"),
    Kind("pump-refill", "refills of a pump that the patient has", "pump-refills", "urgent", ("low_reservoir",)),
    # Behavioral medicine.
    Kind("behavioral-evaluation", "initial evaluation by psychologist and psychiatrist", "behavioral-intake"),
    Kind("cognitive-therapy", "short-term cognitive therapy", "cognitive-therapy"),
    Kind("relaxation-training", "relaxation training", "relaxation-training"),
    Kind("psychiatry-follow-up", "follow-up by the psychiatrist", "psychiatry-follow-up"),
    Kind(GROUP, "seat in a monthly group", None, needs=("programme",)),
    # Therapies and procedures.
    Kind("spinal-cord-stimulation", "spinal cord stimulator, from the assessment on", "spinal-cord-stimulation", "soon"),
    Kind(
        "dorsal-root-ganglion-stimulation",
        "dorsal root ganglion stimulator, from the assessment on",
        "dorsal-root-ganglion-stimulation",
        "soon",
    ),
    Kind("stimulator-programming", "programming of a stimulator", "stimulator-programming"),
    Kind("peripheral-nerve-stimulation", "peripheral nerve stimulation", "peripheral-nerve-stimulation"),
    Kind("radiofrequency-ablation", "radiofrequency ablation, from the diagnostic injections on", "radiofrequency-ablation"),
    Kind("epidural-steroid-injection", "epidural steroid injection", "epidural-steroid-injection"),
    Kind("facet-injection", "facet joint injection", "facet-injection"),
    Kind("sacroiliac-injection", "sacroiliac joint injection", "sacroiliac-injection"),
    Kind("selective-nerve-root-block", "selective nerve root block", "selective-nerve-root-block"),
    Kind("piriformis-injection", "piriformis injection", "piriformis-injection"),
    Kind("trigger-point-injection", "trigger point injection", "trigger-point-injection"),
    Kind("physical-therapy", "physical therapy", "physical-therapy"),
    # Going on with care.
    Kind("follow-up", "follow-up visit", "follow-up"),
    Kind("medication-management", "medication management", "medication-management"),
    Kind("opioid-transition", "moving from opioids to other therapy", "opioid-transition"),
    Kind("work-re-entry", "work re-entry", "work-re-entry"),
    Kind(REFERRAL_OUT, "patient sent to another department", None, needs=("department",)),
)

KINDS_BY_ID: Mapping[str, Kind] = {kind.id: kind for kind in KINDS}


def same_day_kind(service: str) -> Kind | None:
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
