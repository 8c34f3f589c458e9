"""What is kept of one batch's labels: one parquet file a batch, replaced as a whole."""

from __future__ import annotations

import fcntl
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError
from tidegate_contracts.label_check import key_of
from tidegate_flows.place import Place
from tidegate_flows.stores.local import LocalStore, replace_durably, writing
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.scored import Labels, pairs_of, prediction_columns

FORMAT = "1"
_FILES = b"published"
_OWN = ("label", "settled", "changes", "first", "named_at", "published", "prediction")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """What label files have said of one batch, in the order in which its rows were published.

    Attributes:
        named: Whether a row was named at all; shape (rows,).
        label: The last label that came; null where there is none.
        settled: Whether it is known what came true, or that nothing will; shape (rows,).
        changes: How often the label changed after it first came; shape (rows,).
        first: The label that came first.
        named_at: When a row was last said something new of, microseconds since 1970; shape (rows,).
        gone: What is known of rows that are published no longer, as the file has it; None for nothing.
    """

    named: npt.NDArray[np.bool_]
    label: Any
    settled: npt.NDArray[np.bool_]
    changes: npt.NDArray[np.int32]
    first: Any
    named_at: npt.NDArray[np.int64]
    gone: Any = None

    @classmethod
    def nothing(cls, rows: int, kind: Any) -> Named:
        """Nothing was said of any row."""
        none = pa.nulls(rows, kind)
        no = np.zeros(rows, dtype=bool)
        return cls(no, none, no, np.zeros(rows, dtype=np.int32), none, np.zeros(rows, dtype=np.int64))

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which rows have a label, shape (rows,)."""
        return np.asarray(pc.is_valid(self.label), dtype=bool)

    @property
    def labels(self) -> Labels:
        """As a cohort is made of them."""
        return Labels(self.label, self.settled, self.changes)

    def with_labels(
        self, places: npt.NDArray[np.int64], labels: Any, *, at: datetime, complete: bool
    ) -> tuple[Named, int, bool]:
        """What is known once more labels have come; how many of them reverse an earlier one; whether any says more.

        The last label of a row counts. An empty one takes nothing back.

        Args:
            places: For each row its place among the labels; -1 where none names it.
            labels: The labels that came, null for a row that is named and has none.
            at: When they came.
            complete: Whether labels should all be known by then, so that an empty one means that none will come.
        """
        now = places >= 0
        new = _flat(labels.take(pa.array(places, mask=~now))).cast(self.label.type)
        has, had = np.asarray(pc.is_valid(new)), np.asarray(pc.is_valid(self.label))
        other = np.asarray(pc.fill_null(pc.not_equal(new, self.label), fill_value=False))
        settled = self.settled | has | (now & complete)
        told = (has & ~had) | other | (settled != self.settled) | (now & ~self.named)
        if not told.any():
            return self, 0, False
        found = Named(
            self.named | now,
            pc.if_else(pa.array(has), new, self.label),
            settled,
            self.changes + other.astype(np.int32),
            pc.if_else(pa.array(had), self.first, new),
            np.where(told, (at - _EPOCH) // timedelta(microseconds=1), self.named_at),
            self.gone,
        )
        return found, int(other.sum()), True


@contextmanager
def locked(store: LocalStore, dataset: str) -> Iterator[None]:
    """Alone with a dataset's labels among all processes of this host, until the block ends or the process dies."""
    folder = store.place(dataset, "labels")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    with file:
        with writing(folder):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def path_of(place: Place, dataset: str, batch: str) -> Path:
    """The file of one batch's labels."""
    return place.store.place(dataset, "labels") / f"{batch}.parquet"


def load(path: Path, keys: Any, contract: Contract, kind: Any) -> Named:
    """What is known of the rows with some keys.

    Args:
        path: The file.
        keys: The key of each published row, as one column.
        contract: Names the key.
        kind: The Arrow type of the labels that came.

    Raises:
        StoreError: The file is there and cannot be read.
    """
    table = _read(path)
    kind = _label_type(contract) or (pa.string() if pa.types.is_null(kind) else kind)
    if table is None:
        return Named.nothing(len(keys), kind)
    known = _as_contract(table, contract)
    places = np.asarray(pc.fill_null(pc.index_in(keys, value_set=_flat(key_of(known, contract))), -1)).astype(np.int64)
    named = places >= 0
    rows = pa.array(places, mask=~named)
    gone = np.ones(table.num_rows, dtype=bool)
    gone[places[named]] = False

    def taken(name: str) -> Any:
        return _flat(table.column(name).take(rows))

    def typed(name: str) -> Any:
        try:
            return taken(name).cast(kind)
        except pa.ArrowException:
            hint = "remove it and join the labels of this batch again under the new contract"
            raise StoreError(
                f"the labels kept in {path} are of another type", found=table.schema.field(name).type, hint=hint
            ) from None

    return Named(
        named,
        typed("label"),
        np.asarray(pc.fill_null(taken("settled"), fill_value=False)),
        np.asarray(pc.fill_null(taken("changes"), 0)),
        typed("first"),
        np.asarray(pc.fill_null(taken("named_at").cast(pa.int64()), 0)),
        table.filter(pa.array(gone)) if gone.any() else None,
    )


def files_of(path: Path) -> tuple[str, ...] | None:
    """The published files, relative to the store, whose predictions a file has; None where there is no file.

    Raises:
        StoreError: The file is there and cannot be read.
    """
    table = _read(path)
    known = (table.schema.metadata or {}).get(_FILES) if table is not None else None
    return tuple(json.loads(known)) if known is not None else None


def save(path: Path, named: Named, published: Any, contract: Contract, files: Sequence[str]) -> None:
    """Keep what is known of a batch, in place of what was; of rows that are published no longer, that they are not.

    Args:
        path: The file.
        named: What is known of the published rows.
        published: A ``pyarrow.Table`` with the rows' key and prediction columns.
        contract: Names them.
        files: The published files that they are in, relative to the store.

    Raises:
        StoreError: It cannot be written.
    """
    columns = {_kept(name): published.column(name) for name in contract.key}
    predictions = dict(zip(_prediction_names(contract), prediction_columns(contract), strict=True))
    columns |= {
        "label": named.label,
        "settled": pa.array(named.settled),
        "changes": pa.array(named.changes, pa.int32()),
        "first": named.first,
        "named_at": pa.array(named.named_at, pa.timestamp("us", "UTC")),
        "published": pa.array(np.ones(len(named.named), dtype=bool)),
        **{kept: published.column(name) for kept, name in predictions.items()},
    }
    table = pa.table(columns).filter(pa.array(named.named))
    if named.gone is not None:
        table = pa.concat_tables([table, _unpublished(named.gone)], promote_options="permissive")
    buffer = io.BytesIO()
    table = table.replace_schema_metadata({"format": FORMAT, _FILES: json.dumps(list(files))})
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, buffer.getvalue())


def pairs(place: Place, dataset: str, batches: Sequence[str], contract: Contract) -> Iterator[Pairs]:
    """The predictions of some batches with their labels, one batch at a time; for several classes one a class.

    Only of rows that are published: those that a revision replaced took part in nothing that was decided since.

    Raises:
        StoreError: A file of labels cannot be read.
    """
    for batch in batches:
        table = _read(path_of(place, dataset, batch))
        if table is not None:
            table = table.filter(table.column("published")) if "published" in table.column_names else table
            names = dict(zip(_prediction_names(contract), prediction_columns(contract), strict=True))
            none = pa.nulls(table.num_rows)  # of a column that the contract did not name then
            there = table.column_names
            published = pa.table({name: table.column(kept) if kept in there else none for kept, name in names.items()})
            label = _flat(table.column("label"))
            yield from pairs_of(batch, published, label, contract)


def _read(path: Path) -> Any:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if (file.schema_arrow.metadata or {}).get(b"format", b"") > FORMAT.encode():
                raise StoreError("labels of a newer format", found=str(path), hint="upgrade tidegate")
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        hint = "restore it, or remove it and join the labels of this batch again"
        raise StoreError(f"the labels kept in {path} cannot be read", found=why, hint=hint) from error


def _unpublished(table: Any) -> Any:
    """Rows of a file, with the word that they are published no longer."""
    kept = table.drop_columns(["published"]) if "published" in table.column_names else table
    return kept.append_column("published", pa.array(np.zeros(kept.num_rows, dtype=bool)))


def _as_contract(table: Any, contract: Contract) -> Any:
    return pa.table({name: table.column(_kept(name)) for name in contract.key})


def _kept(name: str) -> str:
    """What a key column is called in the file: its name, unless that has a meaning of its own there."""
    return f"key:{name}" if name in _OWN or name.startswith(("key:", "score:")) else name


def _prediction_names(contract: Contract) -> tuple[str, ...]:
    """What the columns of predictions are called in the file."""
    count = len(prediction_columns(contract))
    return ("prediction", *(f"score:{number}" for number in range(count - 1)))


def _label_type(contract: Contract) -> Any:
    """The Arrow type of the label; None where the contract leaves it as it comes."""
    kind = contract.columns[contract.label or ""].type.arrow
    return kind.value_type if kind is not None and pa.types.is_dictionary(kind) else kind


def _flat(values: Any) -> Any:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
