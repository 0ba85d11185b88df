"""Takes scheduling messages with hl7apy, prints a line of JSON for each, and accepts it: ``PORT``."""

import json
import sys
from datetime import UTC, datetime

from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message


class Taking(AbstractHandler):
    def reply(self):
        message = parse_message(self.incoming_message, find_groups=False)
        people = [message.pid] if len(message.pid) == 1 else list(message.pid)
        told = [message.msh.msh_10.value, message.sch.sch_2.sch_2_1.value, people[0].pid_5.value, len(people)]
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        answer = Message("ACK", version="2.5")
        answer.msh.msh_7, answer.msh.msh_9, answer.msh.msh_10 = datetime.now(UTC).strftime("%Y%m%d%H%M%S"), "ACK", "1"
        answer.msa.msa_1, answer.msa.msa_2 = "AA", message.msh.msh_10.value
        return answer.to_mllp()


KINDS = [f"SIU^{trigger}^SIU_S12" for trigger in ("S12", "S13", "S14", "S15", "S17", "S26")]
MLLPServer("127.0.0.1", int(sys.argv[1]), {kind: (Taking,) for kind in KINDS}).serve_forever()
