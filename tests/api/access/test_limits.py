"""How often one caller may ask."""

from __future__ import annotations

import pytest

from api.access import limits
from api.access.limits import RateLimiter
from api.runtime.exceptions import TooMany


def test_a_limit_fills_again_with_time() -> None:
    now = [0.0]
    limit = RateLimiter(2, lambda: now[0])
    limit.take("a")
    limit.take("a")
    limit.take("b")
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.retry_seconds == 30
    now[0] = 29.9
    with pytest.raises(TooMany):
        limit.take("a")
    now[0] = 30.0
    limit.take("a")


def test_the_caller_not_seen_for_longest_is_forgotten_once_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 2)
    limit = RateLimiter(1, lambda: 0.0)
    limit.take("a")
    limit.take("b")
    with pytest.raises(TooMany):
        limit.take("a")
    limit.take("c")
    with pytest.raises(TooMany):
        limit.take("a")
    limit.take("b")
