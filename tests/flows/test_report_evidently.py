"""Evidently beside our report: on samples that hold nothing personal, in a child that reaches no network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tests.conftest import Orders
from tidegate_contracts.errors import MonitorError
from tidegate_flows import reference
from tidegate_flows.evidently_report import COLUMNS_MAXIMUM, _kinds, evidently_report
from tidegate_flows.pages.verdict_page import BYTES_MAXIMUM
from tidegate_flows.place import at
from tidegate_flows.report import sampled
from tidegate_flows.report.reference_sample import ReferenceSample, sample_path
from tidegate_flows.report.written import Wanted, write_look, write_report

Make = Callable[..., pd.DataFrame]


class Personal(Orders):
    note: str = pa.Field(nullable=True, metadata={"personal": True})


def arrow(frame: pd.DataFrame) -> pyarrow.Table:
    return pyarrow.Table.from_pandas(frame, preserve_index=False)


def test_samples_are_bounded_always_the_same_and_without_keys_and_personal_columns(
    make_contract: Callable[..., tg.Contract], make_orders: Make, tmp_path: Path
) -> None:
    contract = make_contract(schema=Personal)
    parts = [arrow(make_orders(day, 3000)) for day in range(3)]
    for day, part in enumerate(parts):
        pq.write_table(part, tmp_path / f"{day}.parquet", row_group_size=700)
    whole = sampled.of_table(pyarrow.concat_tables(parts), contract)
    files = sampled.of_files(sorted(tmp_path.glob("*.parquet")), contract)
    assert whole.column_names == files.column_names == ["placed", "country", "amount", "items", "score"]
    assert whole.num_rows == files.num_rows == sampled.ROWS_MAXIMUM
    assert (
        whole.to_pydict() == files.to_pydict() == sampled.of_table(pyarrow.concat_tables(parts), contract).to_pydict()
    )
    assert sampled.of_table(parts[0], contract, 10).num_rows == 10
    assert sampled.of_files([], contract).num_rows == 0


def test_rows_of_a_reference_are_kept_only_where_its_contract_says_so(
    make_contract: Callable[..., tg.Contract], make_orders: Make, store: Path
) -> None:
    allows = make_contract(schema=Personal, keep_sample=tg.Sample(50, seed=3))
    for contract, rows in ((make_contract(), 0), (allows, 50)):
        kept = ReferenceSample(contract, 7)
        for day in range(7):
            kept.add(arrow(make_orders(day)))
        with at(store) as place:
            kept.write(place, contract.name, f"{rows}")
            path = sample_path(place, contract.name, f"{rows}")
        assert path.is_file() == bool(rows)
    table = pq.read_table(path)
    assert table.num_rows == 50
    assert not {"order_id", "note"} & {*table.column_names}


def test_rows_of_a_reference_of_batches_published_here_are_theirs(
    contract_file: Callable[..., Path], make_orders: Make, store: Path, with_reference: Path
) -> None:
    path = contract_file()
    contract = tg.load_contract(path)
    with at(with_reference) as place:
        built = reference.approved(place, contract)
        rows, why = sampled.of_reference(place, contract, built)
        assert rows is None
        assert "no row of the reference is kept" in why
        assert sampled.of_reference(place, contract, None) == (None, "the batch was held against no reference")
        for day in range(5):
            tg.gate(make_orders(100 + day), path, store=with_reference, batch_id=f"d{day}").require_published()
        own = reference.build(place, contract, [f"d{day}" for day in range(5)])
        rows, why = sampled.of_reference(place, contract, own)
    assert (rows.num_rows, why) == (1000, "")


def test_what_has_no_kind_is_left_out() -> None:
    table = pyarrow.table(
        {
            "number": [1.0, 2.0],
            "flag": [True, None],
            "none": pyarrow.array([None, None], pyarrow.float64()),
            "list": [[1], [2]],
            "when": pyarrow.array([1, 2], pyarrow.timestamp("us", "UTC")),
        }
    )
    assert _kinds(table, None) == {"number": "numerical", "flag": "categorical", "when": "datetime"}
    ids = pyarrow.table({"id": [f"{number}" for number in range(500)], "same": ["x"] * 500})
    assert _kinds(ids, None) == {"same": "categorical"}
    assert _kinds(table, table.select(["flag"])) == {"flag": "categorical"}
    assert len(_kinds(pyarrow.table({f"c{index}": [1.0] for index in range(100)}), None)) == COLUMNS_MAXIMUM


def test_an_evidently_that_has_nothing_or_no_time_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="nothing to give"):
        evidently_report(pyarrow.table({"a": pyarrow.array([], pyarrow.float64())}), None, tmp_path / "e.html")
    with pytest.raises(MonitorError, match=r"took too long; found: more than 0\.01 s"):
        evidently_report(pyarrow.table({"a": [1.0, 2.0]}), None, tmp_path / "e.html", seconds=0.01)
    assert list(tmp_path.iterdir()) == []


def test_without_evidently_the_rest_of_the_report_stands(
    contract_file: Callable[..., Path], make_orders: Make, store: Path
) -> None:
    path = contract_file()
    make_orders(1).to_parquet(path.with_name("a.parquet"), index=False)
    path.with_name("b.parquet").write_bytes(b"PAR1 torn")
    tg.gate(path.with_name("b.parquet"), path, store=store)
    with at(store) as place:
        done = write_report(place, tg.load_contract(path), "b", Wanted(evidently=True))
    assert done.evidently is None
    assert done.files[0].is_file()
    assert len(done.troubles) == 1
    assert done.troubles[0] == "there is no report of Evidently: the batch cannot be read"
    assert "Evidently" not in done.files[0].read_text()


def test_the_child_reaches_no_network() -> None:
    program = (
        "import socket, urllib.request\n"
        "from tidegate_flows.evidently_child import close_ways_out\n"
        "close_ways_out()\n"
        "for way in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: socket.getaddrinfo('localhost', 80),\n"
        "            lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9)),\n"
        "            lambda: urllib.request.urlopen('http://127.0.0.1:9')):\n"
        "    try:\n"
        "        way()\n"
        "    except PermissionError as error:\n"
        "        assert 'is refused here' in str(error)\n"
        "    else:\n"
        "        raise SystemExit('it went out')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.more
def test_evidently_tells_how_a_batch_differs_from_the_sample_of_its_reference(
    make_contract: Callable[..., tg.Contract], make_orders: Make, store: Path, with_reference: Path, tmp_path: Path
) -> None:
    contract = make_contract(schema=Personal, keep_sample=tg.Sample(500, seed=3))
    kept = ReferenceSample(contract, 20)
    for day in range(20):
        kept.add(arrow(make_orders(day)))
    frame = make_orders(30).assign(note="Maria", amount=lambda f: np.minimum(f["amount"] * 5, 9_999))
    frame.to_parquet(tmp_path / "bad.parquet", index=False)
    with at(store) as place:
        against = reference.approved(place, make_contract())
        assert against is not None
        kept.write(place, "orders", against.sha256)
        done, _ = write_look(
            contract, str(tmp_path / "bad.parquet"), against, Wanted(out=tmp_path / "out", evidently=True), place=place
        )
    assert done.troubles == ()
    assert done.evidently == tmp_path / "out" / "bad.evidently.html"
    ours, theirs = done.files[0].read_text(), done.evidently.read_text()
    assert 'href="bad.evidently.html"' in ours
    assert len(ours.encode()) < BYTES_MAXIMUM < len(theirs.encode())
    assert "Data drift detected for column &#39;amount&#39;" in theirs or "amount" in theirs
    assert "Maria" not in theirs
    assert "o30-1" not in theirs
    assert "telemetry" not in theirs.lower()
