"""Messages made of what is to be told."""

from __future__ import annotations

from api.shell import Shell
from api.store.messages import Claimed


class Writer:
    """Makes messages."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def written(self, claimed: Claimed) -> bytes:
        """Return a message."""
        m = claimed.message
        return (
            f"From: {self._shell.settings.mail_from}\r\nTo: {claimed.tells.address}\r\nSubject: x\r\n"
            f"Message-ID: <{m.id}@clinicweave>\r\nX-What: {m.method} {claimed.invitation.uid} {m.sequence}\r\n\r\nx\r\n"
        ).encode()
