"""The file of partners is checked whole, and each fault names its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.partners import WHOLE, partners

from api.hl7 import partners as module
from api.hl7.partners import Partners
from scheduling.errors import InvalidFile


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    hospital = partners(tmp_path).partners["hospital"]
    assert (hospital.owner, hospital.hl7.version, hospital.hl7.offsets) == ("clinicweave", "2.5.1", True)
    assert hospital.own_services == {"1301": "follow-up"}


def test_the_example_in_the_module_is_a_whole_file(tmp_path: Path) -> None:
    example = (module.__doc__ or "").partition("::\n")[2].partition("\nPaths")[0]
    file = tmp_path / "partners.toml"
    file.write_text("\n".join(line[4:] for line in example.splitlines()))
    assert set(Partners.read(file).partners) == {"hospital"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"America/New_York"', '"America/Bosten"', "partners.hospital.timezone: is no time zone"),
        ('owner = "clinicweave"', 'owner = "both"', "partners.hospital.owner: must be 'clinicweave' or 'ehr'"),
        ("port = 6661", "port = 0", "partners.hospital.hl7.send.port: must be greater than or equal to 1"),
        ("port = 6661", "prot = 6661", "partners.hospital.hl7.send.prot: unknown key"),
        ('authority = "HOSPITAL"', "", "partners.hospital.authority: missing"),
        ('"::1/128"', '"10.0.0.1/8"', "partners.hospital.hl7.receive.addresses: 10.0.0.1/8 has host bits set"),
        ('facility = "HOSPITAL"', 'version = "2.7"', "partners.hospital.hl7.version: must be one of 2.3, 2.3.1"),
        ('facility = "HOSPITAL"', 'charset = "EBCDIC"', "partners.hospital.hl7.charset: must be one of ASCII"),
        ('"new-patient-chronic"', '"new-patient"', "partners.hospital.kinds: names no kind of referral: new-patient"),
        ('follow-up = "1301"', 'follow-up = "1"\nconsult = "1"', "partners.hospital.services: one code stands for two"),
        ('[listen]\nhost = "127.0.0.1"\nport = 0', "", "partners.hospital.hl7.receive: needs [listen]"),
        ("port = 6661", 'port = 6661\ntls = {authorities = "ca.pem"}', 'send.tls.authorities: there is no file "ca.pem"'),
        ("port = 0", 'port = 0\ntls = {key = "k"}', 'listen.tls.key: there is no file "k"'),
        ("[partners.hospital]", "[partners.hospital", "line 6"),
        ("[partners.hospital]", "[partners.Hospital]", "partners.Hospital"),
    ],
)
def test_a_fault_names_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        partners(tmp_path, (old, new))
    assert fault in str(refused.value)


FHIR = '[partners.hospital.fhir]\nurl = "https://ehr.example/fhir"\n'
SEND = '[partners.hospital.hl7.send]\nhost = "127.0.0.1"\nport = 6661\n'


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (FHIR + SEND, "partners.hospital.fhir: appointments go one way"),
        (FHIR.replace("https", "http"), "partners.hospital.fhir.url: must be an https address"),
        (FHIR.replace("https://", "https://me:secret@"), "partners.hospital.fhir.url: must be an https address"),
        (FHIR.replace("/fhir", "/fhir?a=b"), "partners.hospital.fhir.url: must be an https address"),
        (f'{FHIR}client = "us"', "partners.hospital.fhir: client and key belong together"),
        (f'{FHIR}client = "us"\nkey = "own.jwk"', 'partners.hospital.fhir.key: there is no file "own.jwk"'),
    ],
)
def test_a_fault_of_a_fhir_server_names_its_place(tmp_path: Path, entry: str, fault: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        partners(tmp_path, (SEND, entry))
    assert fault in str(refused.value)


def test_a_partner_may_have_a_fhir_server_alone(tmp_path: Path) -> None:
    hl7, kinds = WHOLE.index("[partners.hospital.hl7]"), WHOLE.index("[partners.hospital.services]")
    hospital = partners(tmp_path, (WHOLE[hl7:kinds], FHIR)).partners["hospital"]
    assert hospital.fhir is not None and hospital.fhir.url == "https://ehr.example/fhir"


def test_two_partners_of_one_name_are_refused(tmp_path: Path) -> None:
    second = WHOLE.partition("[partners.hospital]")[2].replace("partners.hospital", "partners.other")
    with pytest.raises(InvalidFile, match=r"partners\.hospital\.hl7\.application: is that of partners\.other"):
        partners(tmp_path, ("[partners.hospital]", f"[partners.other]{second}\n[partners.hospital]"))


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="No such file"):
        Partners.read(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("address", "application", "facility", "is_known"),
    [
        ("127.0.0.1", "EHR", "HOSPITAL", True),
        ("::ffff:127.0.0.1", "EHR", "HOSPITAL", True),
        ("::1", "EHR", "HOSPITAL", True),
        ("127.0.0.2", "EHR", "HOSPITAL", False),
        ("127.0.0.1", "EHR", "", False),
        ("127.0.0.1", "ehr", "HOSPITAL", False),
    ],
)
def test_a_sender_is_known_by_address_and_names(
    tmp_path: Path, address: str, application: str, facility: str, is_known: bool
) -> None:
    known = partners(tmp_path)
    assert (known.sender(address, application, facility) is not None) == is_known
    assert known.is_allowed(address) == (address != "127.0.0.2")
