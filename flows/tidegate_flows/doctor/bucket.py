"""The bucket that published files are put into as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tidegate_contracts.errors import TidegateError
from tidegate_flows.doctor.bounded import within
from tidegate_flows.doctor.examined import Examined, told
from tidegate_flows.settings import Settings
from tidegate_flows.stores.bucket import Bucket, require_objects
from tidegate_flows.url import masked

SECONDS = 10.0
_KEY = "tidegate-doctor"  # no dataset is called so: names have no dash


def examine(chosen: Settings) -> Iterator[Examined]:
    """Look at whether the bucket is the store's and no other's, and answers; nothing is written."""
    named = chosen.publish.value
    try:
        if named:
            require_objects(named)
        where = Path(chosen.store.value)
        known = Bucket.of(where, "") if where.is_dir() else None  # what a store that is none lacks is told of the store
        bucket = known or (Bucket(named.rstrip("/"), where) if named else None)
        if bucket is None:
            yield Examined("bucket", "absent", "published files stay in the store")
            return
        if named and named.rstrip("/") != bucket.url:
            yield Examined(
                "bucket", "no", f"{masked(named)} is named, and the store publishes to {bucket.shown}", "name that one"
            )
            return
        within(SECONDS, lambda: _asked(bucket))
    except TidegateError as error:
        hint = "is the URL right, and do the cloud's own variables (AWS_… and the like) hold here?"
        yield Examined("bucket", "no", told(error), error.hint or hint)
        return
    yield Examined("bucket", "ok", f"{bucket.shown} answers")


def _asked(bucket: Bucket) -> list[str]:
    """What the bucket answers.

    Raises:
        UsageError: It is another store's.
        StoreError: It cannot be reached.
    """
    bucket.require_own()
    return bucket.keys(_KEY)
