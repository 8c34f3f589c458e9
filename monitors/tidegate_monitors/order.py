"""What the order of rows says: runs, autocorrelation, and how many independent rows they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of equal labels in a sequence.

    Attributes:
        found: How many runs there are.
        expected: How many there would be on average in random order.
        deviate: (found - expected) / standard deviation; 0 where the order cannot matter.
    """

    found: int
    expected: float
    deviate: float

    @property
    def persistence(self) -> float:
        """1 - found / expected: 0 in random order, towards 1 for sorted labels, below 0 for alternating ones."""
        return 1 - self.found / self.expected

    @classmethod
    def of(cls, classes: Ints) -> Runs:
        """Count the runs of a sequence of classes, shape (n,).

        With n_i rows of each class, n in all, S = sum n_i^2 and T = sum n_i^3, the mean number of runs in random
        order is (n(n + 1) - S) / n and its variance (S(S + n(n + 1)) - 2nT - n^3) / (n^2 (n - 1)).
        Source: A. Wald and J. Wolfowitz (1940), Annals of Mathematical Statistics 11(2), 147-162, for two classes;
        A. M. Mood (1940), the same journal 11(4), 367-392, for more.
        """
        n = float(classes.size)
        if n < 2:
            return cls(int(n), max(n, 1.0), 0.0)
        sizes = np.bincount(classes - classes.min()).astype(np.float64)
        squares, cubes = float((sizes**2).sum()), float((sizes**3).sum())
        found = 1 + int(np.count_nonzero(classes[1:] != classes[:-1]))
        expected = (n * (n + 1) - squares) / n
        variance = (squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3) / (n**2 * (n - 1))
        return cls(found, expected, (found - expected) / np.sqrt(variance) if variance > 1e-9 else 0.0)


def autocorrelations(values: Floats) -> Floats:
    """The autocorrelations of a sequence at lags 0, 1, ..., n - 1, shape (n,); all 0 beyond lag 0 if it is constant.

    r_k = sum_t (x_t - m)(x_{t+k} - m) / sum_t (x_t - m)^2, by the fast Fourier transform.
    Source: G. E. P. Box, G. M. Jenkins and G. C. Reinsel (1994), "Time Series Analysis", 3rd edition, section 2.1.5.
    """
    centred = values - values.mean()
    total = float((centred * centred).sum())
    if values.size < 2 or total <= 1e-12 * max(1.0, float((values * values).sum())):
        return np.asarray(np.arange(values.size) == 0, dtype=np.float64)
    size = 1 << (2 * values.size - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products: Floats = np.fft.irfft(spectrum * spectrum.conj(), size)[: values.size]
    found: Floats = products / total
    return found


def effective_rows(found: Floats) -> float:
    """How many independent rows a sequence is worth for its mean, in [1, n], by its :func:`autocorrelations`.

    n / (1 + 2 sum r_k), the sum taken over pairs of lags as long as the pair's sum is positive and does not grow.
    Source: C. J. Geyer (1992), "Practical Markov chain Monte Carlo", Statistical Science 7(4), 473-483, section 3.3.
    """
    if found.size < 4:
        return float(found.size)
    pairs = found[: found.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0)
    kept = np.minimum.accumulate(pairs[: negative[0] if negative.size else pairs.size])
    time = max(1.0, 2 * float(kept.sum()) - 1)
    return max(1.0, found.size / time)
