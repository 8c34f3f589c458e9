"""Few colours, which people who see no red or no green tell apart, on light ground and on dark.

They are of the palette of Okabe and Ito (2008), "Color universal design". No panel says by its colour alone what is so:
a word or a number stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

GOOD = "#56B4E9"
NOTICE = "#E69F00"
BAD = "#D55E00"
NEUTRAL = "#999999"
OTHER = ("#0072B2", "#CC79A7", "#009E73", "#F0E442")

DECISIONS: Mapping[str, str] = {"publish": GOOD, "hold": NOTICE, "quarantine": BAD, "halt": OTHER[1]}
SEVERITIES: Mapping[str, str] = {"info": NEUTRAL, "warning": NOTICE, "critical": BAD}
STATES: Mapping[str, str] = {"closed": GOOD, "half_open": NOTICE, "open": BAD}
OUTCOMES: Mapping[str, str] = {
    "matched": GOOD,
    "unknown": NEUTRAL,
    "duplicates": OTHER[0],
    "conflicting_labels": BAD,
    "set_aside": NOTICE,
    "reversed": OTHER[1],
    "early": OTHER[3],
    "refused": OTHER[2],
}
STAGES: Mapping[str, str] = {
    "stage": NEUTRAL,
    "decode": OTHER[0],
    "check": GOOD,
    "profile": OTHER[2],
    "compare": NOTICE,
    "commit": OTHER[1],
}
QUANTILES: Mapping[str, str] = {"median": GOOD, "95 %": BAD}
