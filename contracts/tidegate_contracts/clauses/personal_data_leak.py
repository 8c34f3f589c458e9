"""Personal data where nobody expects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.checksum import iban, luhn
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken
from tidegate_contracts.types import LogicalType, logical_type

_VALUES_MINIMUM = 3
_SHARE_MINIMUM = 0.01
_SAMPLE = 10_000
_PASSING_MINIMUM = 0.5

_EMAIL = r"[A-Za-z0-9][A-Za-z0-9._%+'-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b"
_PHONE = r"(?:^|[^0-9A-Za-z.+])(?P<number>\+[1-9][0-9]{0,2}(?:[ ()/-]{0,2}[0-9]){6,13})(?:$|[^0-9A-Za-z.]|\.$|\.[^0-9])"
# how the numbers of Visa, Mastercard, American Express, Discover, JCB, Diners Club and UnionPay begin
_CARD = (
    r"(?:^|[^0-9A-Za-z.-])(?P<number>(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6011|65[0-9]{2}|62[0-9]{2}|35[2-8][0-9])"
    r"(?:[ -]?[0-9]{4}){3}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}|3[068][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{4})"
    r"(?:$|[^0-9A-Za-z.-])"
)
_IBAN = r"(?:^|[^0-9A-Za-z])(?P<number>[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?)(?:$|[^0-9A-Za-z])"


@clause
def personal_data_leak(subject: Subject) -> Iterator[Broken]:
    """A column of text that is not marked ``personal`` holds personal data.

    E-mail addresses, international telephone numbers, payment cards or bank accounts: at least three different ones,
    in at least 1 % of the values. The table is blamed, and critically: what is published cannot be called back, and
    the rows that match are only those that a pattern can see. One string of digits in ten passes for a card by its
    check digit alone, so numbers count only where at least half of those that look like one pass; identifiers do not.
    """
    for name in subject.batch.table.column_names:
        values, known = subject.values(name), subject.contract.column(name)
        if (
            values is None
            or logical_type(values.type) is not LogicalType.TEXT
            or (known is not None and known.personal)
        ):
            continue
        present = _plain(values).drop_null()
        for kind, found in _found(present) if len(present) else ():
            rule = f"no {kind} in a column that is not marked personal; {found} of {len(present)} values hold one"
            yield Broken("personal_data_leak", rule, name, None)


def _found(present: Any) -> Iterator[tuple[str, int]]:
    """Kinds of personal data and how many values hold them, asked first of values spread over the column."""
    step = max(1, len(present) // _SAMPLE)
    sample = present.take(pa.array(np.arange(0, len(present), step))) if step > 1 else present
    longest = pc.max(pc.binary_length(sample)).as_py()
    for kind, (shortest, count) in _KINDS.items():
        if longest < shortest:
            continue
        found = count(sample)
        if step > 1 and found >= _SHARE_MINIMUM / 2 * len(sample):
            found = count(present)
        if found >= max(_VALUES_MINIMUM, _SHARE_MINIMUM * len(present)):
            yield kind, found


def _plain(values: Any) -> Any:
    return values.cast(pa.string()) if not pa.types.is_string(values.type) else values


def _emails(values: Any) -> int:
    """How many values hold an e-mail address; 0 where there are fewer than three different ones."""
    likely = values.filter(pc.match_substring(values, "@"))
    return _different(likely.filter(pc.match_substring_regex(likely, _EMAIL)))


def _different(values: Any) -> int:
    """How many values there are; 0 where too few of them differ, as a constant footer does not."""
    return len(values) if len(pc.unique(values)) >= _VALUES_MINIMUM else 0


def _phones(values: Any) -> int:
    likely = values.filter(pc.match_substring(values, "+"))
    return _different(likely.filter(pc.match_substring_regex(likely, _PHONE)))


def _numbers(pattern: str, valid: Callable[[Any], npt.NDArray[np.bool_]], values: Any) -> int:
    """How many values hold a number of a shape with right check digits; 0 where most such numbers have wrong ones."""
    found = pc.struct_field(pc.extract_regex(values, pattern), "number").drop_null()
    if len(found) < _VALUES_MINIMUM:
        return 0
    counts = pc.value_counts(pc.replace_substring_regex(found, "[ -]", ""))
    passing = valid(counts.field("values").to_numpy(zero_copy_only=False))
    if passing.sum() < _VALUES_MINIMUM or passing.mean() < _PASSING_MINIMUM:
        return 0
    return int(counts.field("counts").to_numpy()[passing].sum())


_KINDS: Mapping[str, tuple[int, Callable[[Any], int]]] = {
    "e-mail addresses": (6, _emails),
    "telephone numbers": (8, _phones),
    "payment card numbers": (14, partial(_numbers, _CARD, luhn)),
    "bank account numbers": (15, partial(_numbers, _IBAN, iban)),
}
"""For each kind the length in bytes of the shortest value that can hold one, and what counts them."""
