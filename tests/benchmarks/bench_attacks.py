"""How a scheduler's reads and the service's memory fare while an outsider attacks it, as a Markdown table.

``bench_attacks.py [--seconds 5] [--undone]``: a service of its own for each attack, on an SQLite file. Reads come one after
another, each by a new connection. With ``--undone`` each attack is sent once more to a service without what holds it. The
exit code is 1 when the slowest hundredth of reads takes longer than ``MOST_SECONDS`` with all that holds, one fails, or memory
grows by more than ``MOST_MIB``.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from support.attacked import HELD, OTHERS, fare, holds


def main() -> int:
    """Measure each attack."""
    parser = ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--undone", action="store_true")
    asked = parser.parse_args()
    rows = [(name, attack, "") for name, attack in OTHERS.items()] + [(name, attack, "") for name, (attack, _) in HELD.items()]
    if asked.undone:
        rows += [(f"{name}, undone", attack, undone) for name, (attack, undone) in HELD.items()]
    print("| attack | reads | 99 % | failed | memory |\n| --- | ---: | ---: | ---: | ---: |")
    is_held = True
    for name, attack, undone in rows:
        fared = fare(attack, undone, asked.seconds)
        is_held = is_held and (bool(undone) or holds(fared))
        print(
            f"| {name} | {fared.reads} | {fared.p99_seconds:.2f} s | {fared.failed} | +{fared.grown_mib:.0f} MiB |", flush=True
        )
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
