"""Mail: messages to patients go out, their answers come in.

- :mod:`api.background.mail.outbox_sender` takes messages from the outbox and hands them to the mail server.
- :mod:`api.background.mail.sender_supervisor` starts the sender's process and watches over it, beside a worker or the service.
- :mod:`api.background.mail.writing` makes a message of what is to be told.
- :mod:`api.background.mail.mailbox` and :mod:`api.background.mail.lmtp` take in answers: from an IMAP mailbox, and by LMTP.

**Once.** A message is claimed in the store, handed to the server, and marked as sent. Nobody but the server knows whether it
has taken a message whose sender dies between its last byte and the mark. So the sender is a process of its own, which is not
killed with its worker: when the worker is gone it finishes the message in its hands, marks it, and ends. If the sender itself
is killed in these milliseconds, or the machine loses power, or the server's answer is lost, the message is sent again under
the same Message-ID, UID, SEQUENCE and DTSTAMP (RFC 5321, section 4.5.3.2.6, asks a client to): servers can tell that it
is the same one, and calendars do nothing with it; an appointment that nobody is told of would be worse.

**In order.** One appointment's messages follow one another, as :mod:`api.store.queries.messages` says.
"""

from __future__ import annotations

MAX_MAIL_BYTES = 2 * 1024**2
"""Longest message that is taken in: an answer is a few kilobytes."""
