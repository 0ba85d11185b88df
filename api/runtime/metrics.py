"""What Prometheus is told. Labels are route patterns and outcomes, never ids."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0)
"""Bounds of the buckets of request times; 0.3 s and 1.5 s are what reads and same-day referrals are measured by."""


class Metrics:
    """The figures of one process. Other parts register theirs with ``registry``."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "clinicweave_request_seconds",
            "Time to answer a request, s.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.running = Gauge("clinicweave_requests_running", "Requests being answered.", registry=self.registry)
        self.problems = Counter(
            "clinicweave_problems", "Requests answered by a problem, by its kind.", ["kind"], registry=self.registry
        )

        self.outside_unread = Counter(
            "clinicweave_outside_unread_parts",
            "Parts of outside calendars that could not be understood, at each reading.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)
