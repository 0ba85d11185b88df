"""A mailbox that speaks as much IMAP as reading it takes, on loopback."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "appointments", "the mailbox's own"


@dataclass
class Mailbox:
    """Messages by UID, and which are marked as seen; ``port`` is where the server listens."""

    messages: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def put(self, content: bytes) -> int:
        """Let a message arrive; return its UID."""
        number = len(self.messages) + 1
        self.messages[number] = content
        return number


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            self.server.mailbox.commands.append(command.split(" ")[0] if "LOGIN" in command else command)
            self.say(f"{tag} {self.answer(command)}")
            if command.startswith("LOGOUT"):
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def answer(self, command: str) -> str:
        box = self.server.mailbox
        if command.startswith("CAPABILITY"):
            self.say("* CAPABILITY IMAP4rev1")
        elif command.startswith("LOGIN"):
            return "OK in" if PASSWORD in command else "NO not you"
        elif command.startswith("UID SEARCH"):
            self.say(f"* SEARCH {' '.join(str(one) for one in sorted(box.messages.keys() - box.seen))}".rstrip())
        elif found := re.match(r"UID FETCH (\d+) \((RFC822.SIZE|BODY.PEEK\[\])\)", command):
            number = int(found[1])
            content = box.messages[number]
            if found[2] == "RFC822.SIZE":
                self.say(f"* {number} FETCH (UID {number} RFC822.SIZE {len(content)})")
            else:
                self.wfile.write(f"* {number} FETCH (UID {number} BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n")
        elif found := re.match(r"UID STORE (\d+) \+FLAGS", command):
            box.seen.add(int(found[1]))
        elif not command.startswith(("SELECT", "LOGOUT")):
            return "BAD what"
        return "OK done"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    mailbox: Mailbox


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a server with an empty mailbox."""
    box = Mailbox()
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mailbox, box.port = box, server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield box
        server.shutdown()
        thread.join()
