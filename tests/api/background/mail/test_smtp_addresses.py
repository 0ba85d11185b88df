"""An address beyond ASCII is handed to a server that knows such, and refused by name where it does not."""

from __future__ import annotations

from typing import Any, cast

import anyio
import pytest

from api.background.mail.smtp import DeliveryOutcome, SmtpConnection


class Server:
    """A mail server that notes what it is given."""

    def __init__(self, *, knows_utf8: bool) -> None:
        self.knows_utf8 = knows_utf8
        self.given: list[tuple[str, object]] = []

    def supports_extension(self, name: str) -> bool:
        return self.knows_utf8 and name == "smtputf8"

    async def mail(self, sender: str, *, options: list[str], encoding: str) -> None:
        self.given.append((sender, (options, encoding)))

    async def rcpt(self, recipient: str, *, encoding: str) -> None:
        self.given.append((recipient, encoding))

    async def data(self, content: bytes) -> None:
        self.given.append(("data", content))


@pytest.mark.parametrize("knows_utf8", [True, False])
@pytest.mark.parametrize("recipient", ["zoë@home.example", "zoe@home.example"])
def test_only_a_server_that_knows_such_addresses_is_given_one(knows_utf8: bool, recipient: str) -> None:
    server = Server(knows_utf8=knows_utf8)
    connection = SmtpConnection(cast("Any", server))
    outcome, reason = anyio.run(connection.hand_over, "clinic@clinic.example", recipient, b"")
    if not knows_utf8 and not recipient.isascii():
        assert (outcome, reason, server.given) == (DeliveryOutcome.NEVER, "the server takes no address beyond ASCII", [])
    else:
        options = ([], "ascii") if recipient.isascii() else (["SMTPUTF8"], "utf-8")
        assert outcome is DeliveryOutcome.TAKEN
        assert server.given[:2] == [("clinic@clinic.example", options), (recipient, options[1])]
