"""What partners tell ends in the use cases that staff use, and what cannot be done becomes a task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import pytest
from support.ehr import Ehr, as_it_stands, send_all
from support.hl7 import siu
from support.partners import partner
from support.service import SECRET
from support.stored import StoredWeek

from api.context import create_context
from api.hl7 import worker
from api.hl7.acks import read_ack
from api.hl7.inbox import UNREADABLE, Inbox
from api.hl7.incoming import NEEDS_PERSON, PATIENTS_MERGED, REFERRAL_WAITS, RULE_OVERRIDDEN
from api.hl7.partners import Partner, Partners
from api.hl7.worker import InboxWorker
from api.runtime.settings import read_settings
from api.services.accounts.accounts import SYSTEM
from api.services.patients.merging import merge_patients
from api.store.audit import list_entries
from api.store.queries import bookings, episodes, hl7, people, tasks
from api.store.tables import BookingRow, PlacerRow

LOOPBACK = "127.0.0.1"
TUESDAY_NINE = "20261201090000-0500"


@dataclass
class Desk:
    """The inbox on the week's store, and what came of messages; its clock is moved by hand."""

    week: StoredWeek
    owner: str = "ehr"
    now: datetime = datetime(2026, 12, 1, 14, 30, tzinfo=UTC)
    count: int = 0

    def __post_init__(self) -> None:
        hospital = partner(receive={"addresses": [LOOPBACK]}).changed(owner=self.owner)
        self.partner: Partner = hospital.changed(kinds={"24725-4": "new-patient-chronic", "X-1": "opioid-consultation"})
        partners = Partners.model_construct(listen=None, partners={"hospital": self.partner})
        settings = read_settings(secret=SECRET, database_url="sqlite://")
        self.context = create_context(settings, self.week.store, lambda: self.now)
        self.inbox = Inbox(self.context, partners, lambda: None)
        self.worker = InboxWorker(self.context, partners)

    def tell(self, text: str, address: str = LOOPBACK) -> str:
        """Bring a message in, work it off, and return the code of its answer."""
        answer = read_ack(self.inbox.receive(text.encode(), address))
        self.worker.work_off()
        return answer.code

    def siu(self, trigger: str, visit: str, **options: str) -> str:
        """Tell of a visit of pat."""
        self.count += 1
        text = siu(trigger, control_id=f"C-{self.count}", visit=visit, **options)
        return self.tell(text.replace("p-1^^^", f"{options.get('patient', 'pat')}^^^"))

    def row(self, visit: str) -> BookingRow:
        with self.week.store.reading() as session:
            row = bookings.find_booking(session, ("visit", visit, ""))
        assert row is not None
        return row

    def tasks(self) -> list[tuple[str, str]]:
        """Return the open tasks: kind and reason."""
        with self.week.store.reading() as session:
            return [(row.kind, str(row.detail.get("reason", ""))) for row in tasks.list_tasks(session, None, 100, False)]

    def audited(self) -> list[str]:
        with self.week.store.reading() as session:
            return [row.action for row in list_entries(session, count=1000) if row.actor == "hl7:hospital"]


@pytest.fixture
def desk(week: StoredWeek) -> Desk:
    """Return the inbox on the week: v-1 of pat stands on Tuesday at 09:00, v-4 of rae stands nowhere."""
    return Desk(week)


def test_a_patients_day_is_told(desk: Desk) -> None:
    assert desk.siu("S14", "v-1", status="ARRIVED") == "AA"
    assert desk.row("v-1").state == "arrived"
    assert desk.siu("S14", "v-1", status="Complete") == "AA"
    assert desk.row("v-1").state == "done"
    assert desk.tasks() == []
    assert desk.audited() == ["hl7.in", "booking.arrived", "hl7.in", "booking.done"]


def test_complete_is_believed_of_who_was_never_said_to_have_arrived(desk: Desk) -> None:
    desk.siu("S14", "v-1", status="Complete")
    assert desk.row("v-1").state == "done"


def test_who_did_not_come_and_then_did(desk: Desk) -> None:
    desk.siu("S26", "v-1", status="Noshow")
    assert desk.row("v-1").state == "no-show"
    desk.siu("S14", "v-1", status="Started")
    assert desk.row("v-1").state == "arrived"


def test_nobody_can_be_missing_before_the_start(desk: Desk) -> None:
    desk.now = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)
    assert desk.siu("S26", "v-1") == "AA"
    assert desk.row("v-1").state == "booked"
    assert desk.tasks() == [(NEEDS_PERSON, "the visit has not begun yet")]


@pytest.mark.parametrize("trigger", ["S15", "S16", "S17"])
def test_a_cancellation_frees_the_place(desk: Desk, trigger: str) -> None:
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.siu(trigger, "v-1", status="Cancelled") == "AA"
    assert desk.row("v-1").state == "cancelled"
    assert "booking.cancel" in desk.audited()
    assert desk.siu(trigger, "v-1", status="Cancelled") == "AA"
    assert desk.tasks() == []


def test_a_move_is_done_where_the_hospital_decides(desk: Desk) -> None:
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.siu("S13", "v-1", start="20261201091000-0500") == "AA"
    assert desk.row("v-1").starts_at == datetime(2026, 12, 1, 14, 10, tzinfo=UTC)
    assert "booking.move" in desk.audited()


def test_a_visit_that_waits_is_booked_where_the_hospital_decides(desk: Desk) -> None:
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    text = siu("S12", visit="v-4", start="20261202090000-0500").replace("p-1^^^", "rae^^^")
    assert desk.tell(text + "AIL|1||wang^wang-consult\rAIP|1||ana\r") == "AA"
    assert [kind for kind, _ in desk.tasks()] in ([], [RULE_OVERRIDDEN])
    assert desk.row("v-4").state == "booked"
    assert desk.row("v-4").starts_at == datetime(2026, 12, 2, 14, tzinfo=UTC)


def test_a_fact_that_breaks_a_rule_is_booked_with_its_reason_and_is_a_task(desk: Desk) -> None:
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.siu("S13", "v-1", start="20261201200000-0500") == "AA"
    row = desk.row("v-1")
    assert (row.starts_at, row.override_reason) == (datetime(2026, 12, 2, 1, tzinfo=UTC), "EHR: hospital")
    assert [kind for kind, _ in desk.tasks()] == [RULE_OVERRIDDEN]


def test_what_nobody_could_do_stays_as_it_was_and_the_hospital_is_told(desk: Desk, ehr: Ehr) -> None:
    send_all(desk.week.store, ehr)
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    before = desk.row("v-1").starts_at
    assert desk.siu("S13", "v-1", start="20270301090000-0500") == "AA"
    assert desk.row("v-1").starts_at == before
    assert [kind for kind, _ in desk.tasks()] == [NEEDS_PERSON]
    assert send_all(desk.week.store, ehr) == [("S13", "v-1")]
    assert ehr.standing() == as_it_stands(desk.week.store)


def test_where_the_clinic_decides_a_move_is_a_task_and_is_told_back(week: StoredWeek, ehr: Ehr) -> None:
    desk = Desk(week, owner="clinicweave")
    send_all(week.store, ehr)
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    before = desk.row("v-1").starts_at
    assert desk.siu("S13", "v-1", start="20261201091000-0500") == "AA"
    assert desk.row("v-1").starts_at == before
    assert [kind for kind, _ in desk.tasks()] == [NEEDS_PERSON]
    assert send_all(week.store, ehr) == [("S13", "v-1")]


@pytest.mark.parametrize(
    ("trigger", "options"),
    [
        ("S15", {"status": "Cancelled"}),
        ("S14", {"status": "ARRIVED", "start": TUESDAY_NINE}),
        ("S13", {"start": "20261201091000-0500", "minutes": "40"}),
        ("S13", {"start": TUESDAY_NINE, "minutes": ""}),
    ],
)
def test_what_the_hospital_said_is_not_said_back(desk: Desk, ehr: Ehr, trigger: str, options: dict[str, str]) -> None:
    send_all(desk.week.store, ehr)
    if trigger != "S14":
        desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.siu(trigger, "v-1", **options) == "AA"
    assert desk.tasks() == []
    assert send_all(desk.week.store, ehr) == []
    other = Ehr(ehr.partner)
    assert ("S12", "v-1") in send_all(desk.week.store, other, "other") or trigger == "S15"


def test_a_length_that_is_not_the_services_is_told_back(desk: Desk, ehr: Ehr) -> None:
    send_all(desk.week.store, ehr)
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.siu("S13", "v-1", start="20261201091000-0500", minutes="60") == "AA"
    assert send_all(desk.week.store, ehr) == [("S13", "v-1")]
    assert ehr.standing() == as_it_stands(desk.week.store)


def test_the_placers_number_is_kept_and_said_from_then_on(desk: Desk, ehr: Ehr) -> None:
    send_all(desk.week.store, ehr)
    desk.siu("S26", "v-1", status="Noshow", placer="P-77")
    with desk.week.store.writing() as session:
        bookings.mark(session, desk.row("v-1").id, "arrived", desk.now)
    send_all(desk.week.store, ehr)
    assert any(b"SCH|P-77|v-1^CLINICWEAVE" in content for content in ehr.taken.values())


@pytest.mark.parametrize(
    ("visit", "patient", "why"),
    [("v-1", "rae", "of another patient"), ("36996", "pat", "no visit of ours")],
)
def test_who_or_what_is_not_ours_is_a_task(desk: Desk, visit: str, patient: str, why: str) -> None:
    assert desk.siu("S15", visit, patient=patient) == "AA"
    ((kind, reason),) = desk.tasks()
    assert kind == NEEDS_PERSON and why in reason
    assert desk.row("v-1").state == "booked"


def referral(code: str = "24725-4", patient: str = "new-1", control_id: str = "R-1", extra: str = "") -> str:
    return "\r".join(
        (
            f"MSH|^~\\&|EHR|HOSPITAL|||||REF^I12|{control_id}|P|2.5.1",
            f"RF1|P|S|Med||O|REF-9|20261130|||{code}",
            "PRD|RP|Powell^Robert",
            f"PID|1||{patient}^^^HOSPITAL^MR||Doe^Jane" + extra,
        )
    )


def test_a_referral_stands_in_the_intake(desk: Desk) -> None:
    assert desk.tell(referral()) == "AA"
    assert desk.tasks() == []
    with desk.week.store.reading() as session:
        (row,) = episodes.load_of_patients(session, ["new-1"])
        assert (row.kind, row.priority, row.referrer) == ("new-patient-chronic", "urgent", "Robert Powell")
        assert people.get_patient(session, "new-1").name == "Jane Doe"
        placer = session.get(PlacerRow, ("hospital", "episode", row.id))
        assert placer is not None and placer.placer == "REF-9"
    assert desk.audited() == ["hl7.in", "patient.add", "intake.take"]


def test_a_referral_with_an_unknown_code_waits_for_a_person_and_can_be_taken_in_later(desk: Desk) -> None:
    assert desk.tell(referral("99999")) == "AA"
    assert [kind for kind, _ in desk.tasks()] == [REFERRAL_WAITS]
    with desk.week.store.reading() as session:
        assert episodes.load_of_patients(session, ["new-1"]) == []
        (kept,) = hl7.in_messages(session, "hospital", "task", 10)
    assert b"Doe" not in kept.content
    assert b"Doe^Jane" in (desk.context.signer.opened(kept.content) or b"")


def test_a_referral_of_a_patient_on_the_pathway_waits_for_a_person(desk: Desk) -> None:
    desk.tell(referral())
    assert desk.tell(referral(control_id="R-2")) == "AA"
    ((kind, reason),) = desk.tasks()
    assert kind == NEEDS_PERSON and "on this pathway already" in reason
    assert "Doe" not in reason


def test_each_order_is_taken_in_by_itself(desk: Desk) -> None:
    orders = "\r".join(
        (
            "MSH|^~\\&|EHR|HOSPITAL|||||ORM^O01|O-1|P|2.5.1",
            "PID|1||new-1||Doe^Jane",
            "ORC|NW|A\rOBR|1|A||99999",
            "ORC|NW|B\rOBR|2|B||24725-4",
            "ORC|CA|C\rOBR|3|C||24725-4",
        )
    )
    assert desk.tell(orders) == "AA"
    assert [kind for kind, _ in desk.tasks()] == [REFERRAL_WAITS, REFERRAL_WAITS]
    with desk.week.store.reading() as session:
        assert len(episodes.load_of_patients(session, ["new-1"])) == 1
        (row,) = hl7.in_messages(session, None, None, 10)
        assert (row.state, row.parts_done) == ("task", 3)


def test_parts_that_are_done_are_not_done_again(desk: Desk) -> None:
    desk.tell(referral())
    with desk.week.store.writing() as session:
        row = hl7.in_messages(session, None, None, 1)[0]
        row.state = "received"
        session.add(row)
    desk.worker.work_off()
    assert desk.tasks() == []


def adt(event: str, rest: str, control_id: str = "A-1") -> str:
    return f"MSH|^~\\&|EHR|HOSPITAL|||||ADT^{event}|{control_id}|P|2.5.1\rEVN|{event}\rPID|1||{rest}"


@pytest.mark.parametrize("event", ["A04", "A08", "A28", "A31"])
def test_a_known_patients_name_and_address_are_brought_up_to_date(desk: Desk, event: str) -> None:
    assert desk.tell(adt(event, "rae^^^HOSPITAL^MR||New^Rae||||||||^NET^Internet^rae@example.org")) == "AA"
    with desk.week.store.reading() as session:
        row = people.get_patient(session, "rae")
        assert (row.name, json.loads(row.document)["name"], row.email) == ("Rae New", "Rae New", "rae@example.org")
    assert {"patient.change", "patient.contact"} <= set(desk.audited())
    assert desk.tasks() == []


def test_news_of_unknown_patients_are_nothing(desk: Desk) -> None:
    assert desk.tell(adt("A28", "zoe||Zed^Zoe")) == "AA"
    assert desk.tell(adt("A01", "zoe||Zed^Zoe", "A-2")) == "AA"
    with desk.week.store.reading() as session:
        assert not people.is_known(session, "zoe")
    assert desk.tasks() == []


def test_a_merge_is_a_task(desk: Desk) -> None:
    assert desk.tell(adt("A40", "pat||Doe^Jane") + "\rMRG|rae") == "AA"
    assert [kind for kind, _ in desk.tasks()] == [PATIENTS_MERGED]


def test_an_impossible_time_is_answered_ae_and_is_a_task(desk: Desk) -> None:
    for _ in range(2):
        assert desk.siu("S13", "v-1", start="20261101013000") == "AE"
    assert desk.tasks() == [(UNREADABLE, "TQ1-7 occurs twice in its zone")]


def test_the_same_message_is_done_once_and_answered_the_same(desk: Desk) -> None:
    text = referral().encode()
    first = desk.inbox.receive(text, LOOPBACK)
    desk.now += timedelta(hours=1)
    assert desk.inbox.receive(text, LOOPBACK) == first
    desk.worker.work_off()
    assert desk.inbox.receive(text, LOOPBACK) == first
    assert desk.worker.work_off() == 0
    assert desk.tasks() == []


def test_one_control_id_for_two_messages_is_an_error(desk: Desk) -> None:
    assert desk.tell(referral()) == "AA"
    assert desk.tell(referral(patient="new-2")) == "AE"
    with desk.week.store.reading() as session:
        assert not people.is_known(session, "new-2")


def test_a_message_that_was_an_error_may_come_again_mended(desk: Desk) -> None:
    assert desk.tell(siu("S13", visit="v-1", start="20261101013000").replace("p-1^^^", "pat^^^")) == "AE"
    desk.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert desk.tell(siu("S13", visit="v-1", start="20261201091000").replace("p-1^^^", "pat^^^")) == "AA"
    assert desk.row("v-1").starts_at == datetime(2026, 12, 1, 14, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "address", "code"),
    [
        ("no message", LOOPBACK, "AR"),
        ("", LOOPBACK, "AR"),
        (siu(sender="OTHER"), LOOPBACK, "AR"),
        (siu(), "10.0.0.9", "AR"),
        (siu(control_id=""), LOOPBACK, "AE"),
        (siu(control_id="x" * 200), LOOPBACK, "AE"),
        (siu(control_id="a\x00b"), LOOPBACK, "AE"),
        (siu().replace("SIU^S12^SIU_S12", "ORU^R01"), LOOPBACK, "AR"),
        (siu().replace("SIU^S12^SIU_S12", "SIU^S18"), LOOPBACK, "AA"),
        (siu().replace("SIU^S12^SIU_S12", "NMQ^N01"), LOOPBACK, "AA"),
    ],
)
def test_what_cannot_be_taken_in_is_answered(desk: Desk, text: str, address: str, code: str) -> None:
    assert desk.tell(text, address) == code


@pytest.mark.parametrize("name", ["Zoë 日本", "a\x00b", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")])
def test_any_name_is_taken_in(desk: Desk, name: str) -> None:
    assert desk.tell(referral().replace("Doe^Jane", f"{name}^Jane")) == "AA"
    assert desk.tasks() == []
    with desk.week.store.reading() as session:
        assert people.get_patient(session, "new-1").name == f"Jane {name}".replace("\x00", " ")


def test_nothing_of_a_message_is_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        desk.tell(referral("99999"))
        desk.tell(siu(sender="OTHER"))
        desk.siu("S15", "unknown")
    assert "Doe" not in caplog.text and "Jane" not in caplog.text


def test_a_defect_in_one_message_keeps_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "take_appointment", lambda *given: 1 / 0)
    assert desk.siu("S15", "v-1") == "AA"
    assert desk.tasks() == [(NEEDS_PERSON, "a defect: the log says more")]
    assert desk.tell(referral()) == "AA"
    with desk.week.store.reading() as session:
        assert people.is_known(session, "new-1")


def test_ids_and_names_of_a_message_are_composed_as_those_of_every_door(desk: Desk) -> None:
    assert desk.tell(referral(patient="é-1")) == "AA"
    decomposed = normalize("NFD", "é-1")
    assert desk.tell(adt("A08", f"{decomposed}^^^HOSPITAL^MR||{normalize('NFD', 'Nuñez')}^Zoë")) == "AA"
    with desk.week.store.reading() as session:
        assert people.get_patient(session, "é-1").name == "Zoë Nuñez"
        assert not people.is_known(session, decomposed)


def test_what_a_message_says_of_a_merged_record_is_of_the_one_that_stays(desk: Desk) -> None:
    with desk.week.store.writing() as session:
        merge_patients(session, SYSTEM, "quin", "pat", desk.now)
    assert desk.tell(referral(patient="quin")) == "AA"
    with desk.week.store.reading() as session:
        assert [row.patient_id for row in episodes.list_episodes(session, "", 10)] == ["pat"]
    assert desk.tell(adt("A40", "pat||Doe^Jane") + "\rMRG|quin") == "AA"
    assert PATIENTS_MERGED not in dict(desk.tasks()), "the desk has merged them already"
