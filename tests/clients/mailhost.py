"""A mail host on this machine: Postfix takes messages by SMTP and hands them to Dovecot, which has everybody's mailbox.

Any address at clinic.example or patients.example has a mailbox, opened by IMAP with that address and one password for all.
Nothing leaves the machine: every other address is refused. Both speak TLS, by a certificate of their own.
"""

from __future__ import annotations

import imaplib
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clients.waiting import PATIENCE_SECONDS, listens, running, until
from support.mailserver import free_port

PASSWORD = "mailbox-of-the-tests"

POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = localhost
mydestination =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
virtual_mailbox_domains = clinic.example, patients.example
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
"""

POSTFIX_MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

DOVECOT = """
base_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imap}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


@dataclass(frozen=True)
class MailHost:
    """A running mail host; ``certificate`` is what its clients have to trust."""

    smtp_port: int
    imap_port: int
    certificate: Path

    def messages(self, address: str) -> list[bytes]:
        """Return what is in somebody's mailbox, the oldest first."""
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        with imaplib.IMAP4_SSL("localhost", self.imap_port, ssl_context=trusting, timeout=PATIENCE_SECONDS) as box:
            box.login(address, PASSWORD)
            box.select(readonly=True)
            numbers = box.search(None, "ALL")[1][0].split()
            found = [box.fetch(number, "(BODY.PEEK[])")[1][0] for number in numbers]
        return [part[1] for part in found if isinstance(part, tuple)]

    def message(self, address: str, number: int) -> bytes:
        """Wait for somebody's message of a number, from 1, and return it."""
        return until(f"message {number} to {address}", lambda: self.messages(address)[number - 1 :])[0]


@contextmanager
def running_mail_host() -> Iterator[MailHost]:
    """Run a mail host, and remove it with all its mail."""
    # Postfix and Dovecot give up root's rights, so a folder that only root may enter will not do.
    folder = Path(tempfile.mkdtemp(prefix="clinicweave-mail-"))
    try:
        folder.chmod(0o755)
        smtp, lmtp, imap = free_port(), free_port(), free_port()
        ports = {"smtp": smtp, "lmtp": lmtp, "imap": imap}
        _certificate(folder)
        for name, text in (("main.cf", POSTFIX_MAIN), ("master.cf", POSTFIX_MASTER), ("dovecot.conf", DOVECOT)):
            (folder / name).write_text(text.format(folder=folder, password=PASSWORD, **ports))
        for name, owner in (("queue", "root"), ("data", "postfix"), ("mail", "nobody")):
            (folder / name).mkdir()
            shutil.chown(folder / name, owner)
        dovecot: list[str | Path] = ["dovecot", "-F", "-c", folder / "dovecot.conf"]
        with running(dovecot, folder / "output.log"), _postfix(folder):
            for name, port in ports.items():
                until(f"somebody on the port of {name}: {folder}", lambda port=port: listens(port))
            yield MailHost(smtp, imap, folder / "certificate.pem")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postfix(folder: Path) -> Iterator[None]:
    subprocess.run(["postfix", "-c", folder, "start"], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["postfix", "-c", folder, "stop"], check=True, capture_output=True)


def _certificate(folder: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run([*made, *names, *files], check=True, capture_output=True)
