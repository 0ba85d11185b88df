"""What the service can be told from outside: environment variables that begin with ``CLINICWEAVE_``; an empty one is unset.

Every setting has a value that suits one laptop; several machines that share a PostgreSQL set ``DATABASE_URL`` and ``SECRET``.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from calendars.mailbox import is_address
from scheduling.catalogue.sources import VARIABLE
from scheduling.errors import Fault, InvalidFile

PREFIX = "CLINICWEAVE_"
OF_THE_BUILD = (f"{PREFIX}CLIENTS", f"{PREFIX}PEERS")
"""Variables of the prefix that only tests and builds read."""

MIN_SECRET_CHARACTERS = 32

OTHERS = 0o077
"""What anybody but its owner may do with a file."""

log = logging.getLogger(__name__)

MAX_SOLVE_SECONDS = 7 * 86_400
"""Longest search that may be asked for, s: a week."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine to itself."""

SQLITE = "sqlite:///"
IN_MEMORY = ("sqlite://", SQLITE, f"{SQLITE}:memory:")


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    database_url: str = Field(f"{SQLITE}clinicweave.db", description="An SQLAlchemy URL: sqlite:///FILE or postgresql://…")
    secret: SecretStr | None = Field(
        None, description="Signs patients' links; at least 32 characters. Unset, a file beside an SQLite database holds one."
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="The port to listen on; 0 takes a free one.")
    tls_certificate: Path | None = Field(None, description="A PEM file: the service itself takes TLS, and nothing else.")
    tls_key: Path | None = Field(None, description="The key of that certificate; unset, it is in the same file.")
    public_url: str = Field(
        default_factory=lambda known: _served_at(
            known.get("host", ""), known.get("port", 0), known.get("tls_certificate") is not None
        ),
        description="The address by which browsers reach the service; unset, the one that it listens on.",
    )
    key_hosts: str = Field(
        "", description="Hosts at private addresses from which the keys of hospitals' programs may be read, by commas."
    )
    allowed_hosts: str = Field(
        "", description="Host names beside that of public_url by which the service may be asked, by commas; * for any."
    )
    forwarded_allow_ips: str = Field("127.0.0.1", description="Proxies whose X-Forwarded-For and -Proto are believed.")
    max_body_bytes: int = Field(16 * 1024**2, gt=0, description="Longest request body, whatever the route.")
    stop_seconds: int = Field(20, ge=0, description="How long running requests may take to end when the service stops.")

    session_idle_minutes: int = Field(30, gt=0, description="A session ends when it is not used for so long.")
    session_hours: int = Field(12, gt=0, description="A session ends after so long, used or not.")
    token_days: int = Field(365, gt=0, description="How long a program's token is good for, unless it says less.")
    link_days: int = Field(60, gt=0, description="How long a patient's link is good for, unless it says less.")
    log_ins_per_minute: int = Field(60, gt=0, description="Attempts to log in, for one network address and one process.")
    failures_before_lock: int = Field(10, gt=0, description="Wrong passwords in a row after which an account rests.")
    lock_minutes: int = Field(15, gt=0, description="How long an account rests.")
    requests_per_minute: int = Field(1_200, gt=0, description="Requests, for one credential and one process.")
    second_factor_for: str = Field("", description="Roles whose passwords need a second factor, by commas.")
    accept_key: bool = Field(False, description="The key that signs is another one from now on.")
    key_hours: int = Field(24, gt=0, description="How long the answer to an Idempotency-Key is kept.")

    jobs_per_worker: int = Field(1, ge=1, le=64, description="Plans that one worker solves at once.")
    solver_workers: int = Field(2, ge=1, le=64, description="Threads of one solver.")
    job_days: int = Field(30, ge=1, description="How long what was told of a plan's making is kept after its end.")
    max_queued_jobs: int = Field(32, ge=1, description="Plans that may wait; one more is refused.")

    smtp_host: str | None = Field(None, description="The mail server that takes messages to patients; unset, none are sent.")
    smtp_port: int = Field(587, ge=1, le=65_535, description="The port that it listens on.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="TLS by STARTTLS, from the start, or not.")
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = Field("", description="The address that writes to patients, and that their calendars answer to.")
    mail_name: str = Field("", description="The name beside that address; unset, the clinic's.")
    mail_names_clinicians: bool = Field(True, description="Whether messages to patients name whom they will see.")
    patient_page: str = Field("", description="The address of patients' own page, told in messages; empty: there is none.")
    message_days: int = Field(
        90, ge=1, description="How long messages to patients are kept after they were sent and the visit is over."
    )
    words_days: int = Field(30, ge=1, description="How long what a patient wrote is kept once its task is done.")
    mail_hold_seconds: int = Field(
        60, ge=0, le=3_600, description="How long a message is held before it is sent: what is undone meanwhile tells nobody."
    )
    imap_host: str | None = Field(None, description="The server that has the mailbox of that address; unset, none is read.")
    imap_port: int = Field(993, ge=1, le=65_535, description="The port that it listens on.")
    imap_tls: Literal["tls", "none"] = Field("tls", description="TLS from the start, or not.")
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = Field("INBOX", description="The folder in which patients' answers arrive.")
    imap_seconds: int = Field(60, ge=1, description="Time between two looks into it.")
    lmtp_port: int | None = Field(
        None, ge=0, le=65_535, description="Take patients' answers by LMTP on this port of lmtp_host."
    )
    lmtp_host: str = "127.0.0.1"

    partners: Path | None = Field(None, description="The file that names the systems with which HL7 messages are exchanged.")

    feed_polls_per_minute: int = Field(30, gt=0, description="Polls of one feed, for one process.")
    feed_past_days: int = Field(28, ge=0, description="How much of the past feeds show.")
    feed_farewell_days: int = Field(30, ge=0, description="How long a revoked feed says that it has ended, before it is gone.")
    outside_minutes: int = Field(30, ge=1, description="Time between two readings of a calendar elsewhere.")
    outside_max_bytes: int = Field(5 * 1024**2, gt=0, description="Longest calendar elsewhere that is read.")
    outside_seconds: float = Field(20, gt=0, description="How long reading one may take.")
    outside_elsewhere_is_busy: bool = Field(True, description="Whether what Outlook shows as working elsewhere takes time.")
    outside_days: int = Field(180, gt=0, description="How far ahead calendars elsewhere are read.")

    oidc_issuer: str | None = Field(None, description="The OpenID Connect issuer of the staff.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_claim: str = Field("sub", description="The claim that an account's subject must equal.")
    oidc_acr: str = Field("", description="What acr must be of a log-in there: one of these, by spaces.")
    oidc_amr: str = Field("", description="What amr of a log-in there must name, as mfa: all of these.")

    audit_anchor: Path | None = Field(
        None, description="The file in which the audit's end is noted; unset, one beside an SQLite database."
    )
    audit_anchor_seconds: int = Field(900, ge=1, description="Time between two notes of the audit's end.")

    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise ValueError(f"must have at least {MIN_SECRET_CHARACTERS} characters")
        return secret

    @field_validator("second_factor_for")
    @classmethod
    def _roles(cls, roles: str) -> str:
        if unknown := {role.strip() for role in roles.split(",") if role.strip()} - {"scheduler", "clinician", "admin"}:
            raise ValueError(f"no role of staff: {', '.join(sorted(unknown))}")
        return roles

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer is not None and not (self.oidc_client_id and self.oidc_issuer.startswith(("https://", "http://"))):
            raise ValueError("oidc_issuer must be a URL and needs oidc_client_id")
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("tls_key needs tls_certificate")
        for file in (self.tls_certificate, self.tls_key):
            if file is not None and not os.access(file, os.R_OK):
                raise ValueError(f"{file} cannot be read")
        if not self.mail_from and (self.smtp_host, self.imap_host, self.lmtp_port) != (None, None, None):
            raise ValueError("mail needs mail_from")
        if self.mail_from and not (is_address(self.mail_from) and self.mail_from.isascii()):
            raise ValueError("mail_from is no mail address")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by TLS, so that cookies are sent by nothing else."""
        return self.public_url.startswith("https://")

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent: by TLS, or because it does not leave the machine."""
        return self.secure or _is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def private_key_hosts(self) -> frozenset[str]:
        """The names in ``key_hosts``."""
        return frozenset(name.strip().lower() for name in self.key_hosts.split(",") if name.strip())

    @property
    def hosts(self) -> frozenset[str]:
        """The host names by which the service may be asked; empty for any, as where it is asked on this machine alone."""
        names = {name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip()}
        own = urlsplit(self.public_url).hostname or ""
        if "*" in names or (not names and _is_loopback(own)):
            return frozenset()
        return frozenset({own, *names, *LOOPBACK})

    @property
    def second_factor_roles(self) -> frozenset[str]:
        """The roles whose passwords need a second factor."""
        return frozenset(role.strip() for role in self.second_factor_for.split(",") if role.strip())

    @property
    def anchor_file(self) -> Path | None:
        """The file in which the audit's end is noted; None where only the log tells it."""
        if self.audit_anchor is not None or self.database_url in IN_MEMORY or not self.database_url.startswith(SQLITE):
            return self.audit_anchor
        return Path(self.database_url.removeprefix(SQLITE) + ".anchors")

    def signing_key(self) -> bytes:
        """Return the key that signs, made at first use when one SQLite file is all there is.

        Raises
        ------
        InvalidFile
            When it is not set although several machines may share the database, or its file is empty or cut off.
        """
        if self.secret is not None:
            return self.secret.get_secret_value().encode()
        if self.database_url in IN_MEMORY:
            return secrets.token_bytes(32)
        if self.database_url.startswith(SQLITE):
            return _kept_key(Path(self.database_url.removeprefix(SQLITE) + ".key"))
        raise InvalidFile("environment", [Fault("CLINICWEAVE_SECRET", "must be set where machines share a database")])


def _is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith("127.")


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` go before it, None apart.

    Raises
    ------
    InvalidFile
        With a fault for every variable that cannot be used.
    """
    expect_known_variables()
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        faults = [
            Fault("CLINICWEAVE_" + "_".join(map(str, fault["loc"])).upper() if fault["loc"] else "", fault["msg"])
            for fault in error.errors(include_input=False, include_url=False)
            if fault["type"] != "default_factory_not_called"  # another's fault alone
        ]
        raise InvalidFile("environment", faults) from None


def expect_known_variables() -> None:
    """Refuse a variable of this prefix that nothing reads, as a misspelt one. Raises ``InvalidFile``."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {VARIABLE, *OF_THE_BUILD}
    faults = []
    for name in sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known):
        near = get_close_matches(name.upper(), known, 1)
        faults.append(Fault(name, f"is no setting; did you mean {near[0]}?" if near else "is no setting"))
    if faults:
        raise InvalidFile("environment", faults)


def _served_at(host: str, port: int, is_secure: bool) -> str:
    """Return the address of what listens there; what listens everywhere is reached on this machine."""
    return make_address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, is_secure)


def make_address(host: str, port: int, is_secure: bool = False) -> str:
    """Return the address of a port of a host."""
    scheme = "https" if is_secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _kept_key(file: Path) -> bytes:
    # Written whole under another name first: a process that starts at the same time must never read half a key.
    if not file.exists():
        draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(secrets.token_hex(32).encode())
            handle.flush()
            os.fsync(handle.fileno())  # what it has signed must not outlive it
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _sync_folder(file.parent)
    key = file.read_bytes()
    if len(key) < MIN_SECRET_CHARACTERS:
        raise InvalidFile(str(file), [Fault("", "holds no key: put the right one back, or take the file away to have another")])
    if sys.platform != "win32" and stat.S_IMODE(file.stat().st_mode) & OTHERS:
        log.warning("others on this machine may read the key that signs; chmod 600 %s", file)
    return key


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file written down too, where folders can be asked to."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
