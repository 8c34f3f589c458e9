"""What a model is to learn: the label of both sides of a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.classes import is_class
from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import classes_of
from tidegate_monitors.codes import Codes

_CLASSES_MAXIMUM = 20

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """The label of TRAIN and TEST.

    Attributes:
        name: Its column.
        codes: Its values as whole numbers; -1 where a row has no label.
        classes: Whether it names classes; else it is a quantity.
        declared: The classes that the contract allows; empty where it says nothing.
    """

    name: str
    codes: Codes
    classes: bool
    declared: tuple[Any, ...]

    @classmethod
    def of(cls, name: str, codes: Codes, contract: Contract) -> Target:
        """A label names classes if the contract says so, if it is text, or if TRAIN has few whole numbers in it."""
        declared = classes_of(contract)
        if codes.numeric:  # a label that is no finite number is none
            finite = np.append(np.isfinite(codes.levels.astype(np.float64)), False)
            train, test = (np.where(finite[side], side, -1) for side in (codes.train, codes.test))
            codes = Codes(codes.levels, train, test)
        classes = is_class(contract) or not codes.numeric or _few_whole(codes)
        return cls(name, codes, classes, declared)

    @property
    def count(self) -> int:
        """How many classes are in the data."""
        return len(self.codes.levels)

    @property
    def train_known(self) -> Ints:
        """The positions of TRAIN's labelled rows."""
        return np.flatnonzero(self.codes.train >= 0)

    @property
    def test_known(self) -> Ints:
        """The positions of TEST's labelled rows."""
        return np.flatnonzero(self.codes.test >= 0)

    def values(self) -> Floats:
        """TRAIN's labelled values as numbers; for classes, whether a row is of the most frequent one."""
        known = self.codes.train[self.train_known]
        if not self.classes:
            return self.codes.numbers()[0][self.train_known]
        return np.asarray(known == np.bincount(known).argmax(), dtype=np.float64)


def _few_whole(codes: Codes) -> bool:
    present = codes.levels[np.unique(codes.train[codes.train >= 0])].astype(np.float64)
    return bool(present.size <= _CLASSES_MAXIMUM and (present == np.floor(present)).all())
