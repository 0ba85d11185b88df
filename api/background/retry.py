"""How often whatever is sent is tried again: mail to patients, and messages to hospital systems."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a sender looks, waits and tries; times in seconds.

    Attributes
    ----------
    poll_interval : float
        Between two looks for messages to send.
    initial_backoff, max_backoff : float
        The first and the longest wait for a server that does not answer, or that asks to come later; each is twice the one
        before.
    lease : float
        How long a message stays with a sender of which nothing is heard; longer than all answers to one message may take.
    max_attempts : int
        Attempts after which a message that a server never takes is given up: two days by the longest wait.
    """

    poll_interval: float = 1.0
    initial_backoff: float = 2.0
    max_backoff: float = 600.0
    lease: float = 300.0
    max_attempts: int = 300

    def backoff(self, attempts: int) -> float:
        """Return the wait after some attempts, s, a little different each time so that senders do not come together."""
        return float(min(self.max_backoff, self.initial_backoff * 2 ** min(attempts - 1, 20)) * random.uniform(0.8, 1.2))
