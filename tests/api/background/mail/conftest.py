"""A mail server on loopback, and the settings by which messages go there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.mailserver import Listening, MailServer, free_port
from support.service import SECRET

from api.runtime.settings import Settings

FROM = "appointments@clinic.example"


@pytest.fixture
def listening() -> Iterator[Listening]:
    """Return a mail server that listens."""
    place = Listening(MailServer(), free_port())
    place.start()
    yield place
    place.stop()


@pytest.fixture
def mail_settings(sqlite_url: str, listening: Listening) -> Settings:
    """Return the settings by which messages go to the server."""
    return Settings(
        database_url=sqlite_url,
        secret=SECRET,
        smtp_host="127.0.0.1",
        mail_hold_seconds=0,
        smtp_port=listening.port,
        smtp_tls="none",
        mail_from=FROM,
    )


@pytest.fixture
def environment(mail_settings: Settings) -> dict[str, str]:
    """Return the same settings for a process of its own."""
    return {
        "CLINICWEAVE_DATABASE_URL": mail_settings.database_url,
        "CLINICWEAVE_SECRET": SECRET,
        "CLINICWEAVE_SMTP_HOST": "127.0.0.1",
        "CLINICWEAVE_MAIL_HOLD_SECONDS": "0",
        "CLINICWEAVE_SMTP_PORT": str(mail_settings.smtp_port),
        "CLINICWEAVE_SMTP_TLS": "none",
        "CLINICWEAVE_MAIL_FROM": FROM,
    }
