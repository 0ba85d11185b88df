"""The file ``partners.toml``: with whom appointments are exchanged, and how each of them speaks HL7 or FHIR.

::

    [listen]                          # where partners send to; left out, nothing is taken in
    host = "0.0.0.0"
    port = 2575

    [partners.hospital]
    owner = "clinicweave"             # whose appointments are the truth: "clinicweave" or "ehr"
    timezone = "America/Chicago"      # of time stamps without offset
    authority = "HOSPITAL"            # who gives patients their numbers (PID-3.4)

    [partners.hospital.hl7]
    application = "EHR"               # their MSH-3 and MSH-4
    facility = "HOSPITAL"
    version = "2.5.1"

    [partners.hospital.hl7.send]      # appointments go there
    host = "10.1.2.3"
    port = 6661

    [partners.hospital.hl7.receive]   # messages may come from there
    addresses = ["10.1.2.0/24"]

    [partners.hospital.services]      # our service = their code; the same for providers and locations
    follow-up = "1301"

    [partners.hospital.kinds]         # their code of what a patient is referred for = our kind
    "24725-4" = "new-patient-chronic"

Paths of certificates and keys begin at the folder of the file.

A partner with a FHIR server gets appointments there instead, and has this in place of ``hl7.send``::

    [partners.other.fhir]
    url = "https://ehr.example/fhir/r4"
    client = "clinicweave"            # who we are there
    key = "clinicweave.jwk"           # our private key; they know the public one
    patients = "urn:oid:1.2.3"        # the system of patients' numbers there
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import ip_address, ip_network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator

from api.hl7.acks import DEFAULT_VERSION, VERSIONS
from api.hl7.charsets import CODECS
from api.services.intake.kinds import list_kinds
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Model
from scheduling.references import make_fault

Port = Annotated[int, Field(ge=1, le=65_535)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
PartnerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

LOOPBACK = ("localhost", "127.0.0.1", "::1")

MAX_CODES = 2_000
Codes = Annotated[dict[Text, Text], Field(max_length=MAX_CODES)]


class Tls(Model):
    """Certificates in files: our own with its key, and of whom those of the other side must be; none: of anybody known."""

    certificate: str | None = None
    key: str | None = None
    authorities: str | None = None


class Listen(Model):
    """Where partners send to."""

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 2575
    tls: Tls | None = None


class Send(Model):
    """Where appointments go; ``answer_seconds`` is the longest wait for an acknowledgement."""

    host: Text
    port: Port
    tls: Tls | None = None
    answer_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0


class Receive(Model):
    """From which network addresses messages may come; one is ``10.1.2.3`` or ``10.1.2.0/24``."""

    addresses: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]

    @field_validator("addresses")
    @classmethod
    def _networks(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            ip_network(address)
        return addresses

    def allows(self, address: str) -> bool:
        """Return whether messages may come from a network address."""
        peer = ip_address(address.partition("%")[0])
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in ip_network(network) for network in self.addresses)


class Hl7(Model):
    """How a partner speaks HL7.

    Attributes
    ----------
    application, facility
        Their names, MSH-3 and MSH-4 of what they send.
    own_application, own_facility
        Ours.
    version, charset
        What we write; what is read says it of itself.
    offsets
        Whether time stamps that we write name their offset.
    processing
        MSH-11: production, training or debugging.
    """

    application: str = ""
    facility: str = ""
    own_application: Text = "CLINICWEAVE"
    own_facility: str = ""
    version: str = DEFAULT_VERSION
    charset: str = "UNICODE UTF-8"
    offsets: bool = True
    processing: Literal["P", "T", "D"] = "P"
    send: Send | None = None
    receive: Receive | None = None

    @field_validator("version")
    @classmethod
    def _written(cls, version: str) -> str:
        if version not in VERSIONS:
            raise ValueError(f"must be one of {', '.join(VERSIONS)}")
        return version

    @field_validator("charset")
    @classmethod
    def _known(cls, charset: str) -> str:
        if charset not in CODECS:
            raise ValueError(f"must be one of {', '.join(filter(None, CODECS))}")
        return charset


class Fhir(Model):
    """A partner's FHIR R4 server, to which appointments go.

    Attributes
    ----------
    url, token_url
        Its address, and that of its tokens where ``.well-known/smart-configuration`` does not name it.
    client, key
        Who we are there, and the file of our private key, a JSON Web Key with its ``kid``; none: it asks for no token.
    authorities
        A file of whom its certificate must be; none: of anybody known.
    patients
        The system of the identifier by which it knows patients; none: they are referred to by our identifier.
    answer_seconds
        The longest wait for an answer.
    """

    url: Text
    token_url: Text | None = None
    client: Text | None = None
    key: str | None = None
    authorities: str | None = None
    patients: Text | None = None
    answer_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    @field_validator("url", "token_url")
    @classmethod
    def _address(cls, address: str | None) -> str | None:
        if address is not None and not cls.is_safe(address):
            raise ValueError("must be an https address without user name, query and fragment; http reaches only this machine")
        return None if address is None else address.rstrip("/")

    @staticmethod
    def is_safe(address: str) -> bool:
        """Return whether a secret may be sent to an address: by https, or to this machine."""
        try:
            parts = urlsplit(address)
            is_whole = bool(parts.hostname) and not (parts.username or parts.query or parts.fragment) and parts.port != 0
        except ValueError:
            return False
        return is_whole and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


class Partner(Model):
    """One system that appointments are exchanged with."""

    owner: Literal["clinicweave", "ehr"] = "clinicweave"
    timezone: str
    authority: Text
    services: Codes = Field(default_factory=dict)
    providers: Codes = Field(default_factory=dict)
    locations: Codes = Field(default_factory=dict)
    kinds: Codes = Field(default_factory=dict)
    hl7: Hl7 = Field(default_factory=Hl7)
    fhir: Fhir | None = None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError("is no time zone such as America/Chicago")
        return timezone

    @field_validator("kinds")
    @classmethod
    def _kinds(cls, kinds: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(kinds.values()) - {kind.id for kind in list_kinds()})
        if unknown:
            raise ValueError(f"names no kind of referral: {', '.join(unknown)}")
        return kinds

    @property
    def zone(self) -> ZoneInfo:
        """The zone of time stamps without offset."""
        return ZoneInfo(self.timezone)

    @cached_property
    def own_services(self) -> Mapping[str, str]:
        """Our services by their codes."""
        return {theirs: ours for ours, theirs in self.services.items()}

    @cached_property
    def own_providers(self) -> Mapping[str, str]:
        """Our providers by their ids."""
        return {theirs: ours for ours, theirs in self.providers.items()}

    @cached_property
    def own_locations(self) -> Mapping[str, str]:
        """Our locations by their ids."""
        return {theirs: ours for ours, theirs in self.locations.items()}


class Partners(Model):
    """All partners by name, and where they send to."""

    listen: Listen | None = None
    partners: Annotated[dict[PartnerName, Partner], Field(max_length=50, default_factory=dict)]

    @classmethod
    def read(cls, file: Path) -> Partners:
        """Read and check a file. Raises ``InvalidFile`` with every fault by its place."""
        source = str(file)
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidFile(source, [Fault("", str(error))]) from None
        try:
            partners = cls.model_validate_json(json.dumps(document, default=str))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            raise InvalidFile(source, [make_fault(detail) for detail in details]) from None
        if faults := [*_faults(partners), *_missing_files(partners, file.parent)]:
            raise InvalidFile(source, faults)
        return partners

    def sender(self, address: str, application: str, facility: str) -> tuple[str, Partner] | None:
        """Return the partner that a message is from, by network address, MSH-3 and MSH-4; None: nobody may send it."""
        for name, partner in self.partners.items():
            names = (partner.hl7.application, partner.hl7.facility)
            receive = partner.hl7.receive
            if receive is not None and names == (application, facility) and receive.allows(address):
                return name, partner
        return None

    def is_allowed(self, address: str) -> bool:
        """Return whether any partner may send from a network address."""
        ways = (partner.hl7.receive for partner in self.partners.values())
        return any(receive is not None and receive.allows(address) for receive in ways)


def _faults(partners: Partners) -> Iterator[Fault]:
    for name, partner in partners.partners.items():
        yield from _partner_faults(f"partners.{name}", partner)
        if partner.hl7.receive is not None and partners.listen is None:
            yield Fault(f"partners.{name}.hl7.receive", "needs [listen]: nothing says where messages are taken in")
        for table in ("services", "providers", "locations"):
            codes = getattr(partner, table)
            if len(set(codes.values())) < len(codes):
                yield Fault(f"partners.{name}.{table}", "one code stands for two things")
    receiving = [(name, partner.hl7) for name, partner in partners.partners.items() if partner.hl7.receive is not None]
    for (one, first), (other, second) in combinations(receiving, 2):
        if (first.application, first.facility) == (second.application, second.facility):
            yield Fault(f"partners.{other}.hl7.application", f"is that of partners.{one}, with the same facility")


def _partner_faults(place: str, partner: Partner) -> Iterator[Fault]:
    fhir, hl7 = partner.fhir, partner.hl7
    speaks_hl7 = hl7.send is not None or hl7.receive is not None
    if not hl7.application and (speaks_hl7 or fhir is None):
        yield Fault(f"{place}.hl7.application", "missing")
    if fhir is not None and hl7.send is not None:
        yield Fault(f"{place}.fhir", "appointments go one way: by [hl7.send] or by [fhir]")
    if fhir is not None and (fhir.client is None) != (fhir.key is None):
        yield Fault(f"{place}.fhir", "client and key belong together")


def _missing_files(partners: Partners, folder: Path) -> Iterator[Fault]:
    for place, tls in _tls(partners):
        for name in ("certificate", "key", "authorities"):
            path = getattr(tls, name)
            if path is not None and not (folder / path).is_file():
                yield Fault(f"{place}.{name}", f'there is no file "{path}"')
        if tls.key is not None and tls.certificate is None:
            yield Fault(f"{place}.key", "needs a certificate")
    for name, partner in partners.partners.items():
        for field in ("key", "authorities"):
            path = None if partner.fhir is None else getattr(partner.fhir, field)
            if path is not None and not (folder / path).is_file():
                yield Fault(f"partners.{name}.fhir.{field}", f'there is no file "{path}"')


def _tls(partners: Partners) -> Iterator[tuple[str, Tls]]:
    if partners.listen is not None and partners.listen.tls is not None:
        yield "listen.tls", partners.listen.tls
    for name, partner in partners.partners.items():
        if partner.hl7.send is not None and partner.hl7.send.tls is not None:
            yield f"partners.{name}.hl7.send.tls", partner.hl7.send.tls
