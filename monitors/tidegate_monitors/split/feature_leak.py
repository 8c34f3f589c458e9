"""A feature that is too good to be true."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_monitors.association import ROWS_MINIMUM, association
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import DEVIATE_MINIMUM, Split, audit, insufficient, worst_above

AUC_MAXIMUM, AUC_CRITICAL = 0.97, 0.99
CORRELATION_MAXIMUM, CORRELATION_CRITICAL = 0.98, 0.995


@audit
def feature_leak(split: Split) -> Iterator[Finding]:
    """A feature that alone tells TRAIN's label: AUC from .97, for a quantity Spearman's correlation from .98.

    Honest features do reach .97 where cases are easy to tell apart, so it is critical only from .99 (.995).
    """
    target = split.target
    if target is None:
        name = split.contract.label
        what = f"no labels {name!r} in both TRAIN and TEST" if name else "the contract names no label"
        yield insufficient(f"{what}: nothing that needs labels was looked at", name)
        return
    measure, bound, worst = (
        ("AUC", AUC_MAXIMUM, AUC_CRITICAL)
        if target.classes
        else ("correlation", CORRELATION_MAXIMUM, CORRELATION_CRITICAL)
    )
    looked = False
    for name in split.features:
        found = association(split.codes(name), target, split.fold)
        looked = looked or found is not None
        if found is not None and found.score >= bound and found.deviate >= DEVIATE_MINIMUM:
            words = f"column {name!r} alone tells {target.name!r} {found.how}: {measure} {found.score:.3f} on TRAIN"
            default = worst_above(found.score, worst)
            yield split.alarm("feature_leak", default, words, name, score=found.score, threshold=bound)
    if split.features and not looked:
        yield insufficient(f"fewer than {ROWS_MINIMUM} labelled rows in each class of TRAIN", target.name)
