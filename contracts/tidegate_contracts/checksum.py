"""Check digits: what tells a payment card's or a bank account's number from any other digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ZERO, _LETTER = ord("0"), ord("A") - 10


def luhn(numbers: Any) -> npt.NDArray[np.bool_]:
    """Whether the digits of each number satisfy the formula of Luhn; shape (len(numbers),).

    Every second digit from the right is doubled and its own digits added; the sum must be divisible by ten. One
    number in ten does so by chance. Source: ISO/IEC 7812-1, annex B.

    >>> luhn(["4111111111111111", "4111111111111112"]).tolist()
    [True, False]
    """
    signs = _signs(numbers)
    places = (signs > 0).sum(axis=1)[:, None] - 1 - np.arange(signs.shape[1])  # counted from the right
    digits = np.where(signs > 0, signs - _ZERO, 0)
    doubled = np.where(digits > 4, 2 * digits - 9, 2 * digits)
    whole: npt.NDArray[np.bool_] = np.where(places % 2 == 1, doubled, digits).sum(axis=1) % 10 == 0
    return whole


def iban(numbers: Any) -> npt.NDArray[np.bool_]:
    """Whether each account number has the right check digits; shape (len(numbers),).

    The first four characters move to the end, letters become 10 to 35, and the number must leave 1 modulo 97. One
    in 97 does so by chance. Source: ISO 13616-1.

    >>> iban(["DE89370400440532013000", "DE89370400440532013001"]).tolist()
    [True, False]
    """
    signs = _signs(numbers)
    remainder = np.zeros(len(signs), dtype=np.int64)
    for place in (*range(4, signs.shape[1]), *range(min(4, signs.shape[1]))):
        sign = signs[:, place]
        is_letter = sign >= ord("A")
        longer = remainder * np.where(is_letter, 100, 10) + sign - np.where(is_letter, _LETTER, _ZERO)
        remainder = np.where(sign > 0, longer % 97, remainder)
    whole: npt.NDArray[np.bool_] = remainder == 1
    return whole


def _signs(numbers: Any) -> npt.NDArray[np.int64]:
    """The characters' codes, a row each, with zeros behind; shape (len(numbers), longest)."""
    if not len(numbers):
        return np.zeros((0, 0), dtype=np.int64)
    packed = np.asarray(numbers, dtype=np.bytes_)
    return packed.view(np.uint8).reshape(len(packed), packed.dtype.itemsize).astype(np.int64)
