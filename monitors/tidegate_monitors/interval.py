"""How far a share that was measured on n rows can be trusted."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054


def wilson(successes: float, rows: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share, within [0, 1]; all of it without rows.

    Source: E. B. Wilson (1927), Journal of the American Statistical Association 22(158), 209-212.

    >>> low, high = wilson(50, 100)
    >>> round(low, 4), round(high, 4)
    (0.4038, 0.5962)
    """
    if rows <= 0:
        return 0.0, 1.0
    share, weight = successes / rows, z * z / rows
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / rows + weight / (4 * rows)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def half_width(share: float, rows: int, z: float = Z_95) -> float:
    """Half the width of :func:`wilson`'s interval."""
    low, high = wilson(share * rows, rows, z)
    return (high - low) / 2
