"""``tidegate labels`` and labels of a reference: exit codes, JSON, messages, and real flights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import typer

import tidegate as tg
from tests.flows.conftest import CONTRACT_FILE
from tidegate_contracts.batch import Batch, Source, Window
from tidegate_flows import reference as references
from tidegate_flows.cli import exits, labels, reference
from tidegate_flows.demo import data
from tidegate_flows.labelled_blocks import labelled_share
from tidegate_flows.place import at
from tidegate_monitors.block import Block
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_judgement import Question, judge
from tidegate_monitors.label_report import LabelReport
from tidegate_monitors.layout import Layout
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.scored import Labels, cohort_columns, cohort_of, pairs_of

KEYS = {
    "format", "dataset", "maturity", "batches", "biases", "edges", "bounds", "calibration", "skill", "estimate",
    "findings", "joined", "refused",
}  # fmt: skip
DAYS = range(1, 7)
ROWS = 100
DELAY = "label_delay=timedelta(days=2)"
Make = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout; a NaN in it is an error."""
        found: dict[str, Any] = json.loads(self.out, parse_constant=pytest.fail)
        return found


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command as the command line does, in this process."""
    app = typer.Typer()
    app.callback()(lambda: None)
    app.command("labels")(labels.labels)
    app.add_typer(reference.app, name="reference")

    def run(*arguments: object) -> Said:
        code = exits.run(app, [str(item) for item in arguments])
        return Said(code, *capsys.readouterr())

    return run


@dataclass(frozen=True)
class World:
    """A store with six published days of orders, and the labels that came for them."""

    folder: Path
    rows: pd.DataFrame

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def contract(self) -> Path:
        return self.folder / "orders.py"

    def with_contract(self, extra: str) -> Path:
        """The contract with more arguments."""
        path = self.folder / "other.py"
        path.write_text(CONTRACT_FILE.replace("EXTRA", extra))
        return path

    def file(self, rows: pd.DataFrame | None = None, name: str = "labels.parquet") -> Path:
        """A file of labels."""
        chosen = self.rows if rows is None else rows
        chosen[["order_id", "returned"]].to_parquet(self.folder / name, index=False)
        return self.folder / name


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, make_orders: Make) -> World:
    """The world, made once; its labels are as its predictions say."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "orders.py").write_text(CONTRACT_FILE.replace("EXTRA", DELAY))
    days = [make_orders(day, ROWS) for day in DAYS]
    for day, frame in zip(DAYS, days, strict=True):
        tg.gate(frame, folder / "orders.py", store=folder / "store", batch_id=f"d{day}").require_published()
    rows = pd.concat(days, ignore_index=True)
    rng = np.random.default_rng(1)
    return World(folder, rows.assign(returned=(rng.random(len(rows)) < rows["score"]).astype(float)))


@pytest.fixture
def here(told: World, tmp_path: Path) -> World:
    """The world, a copy for one test."""
    shutil.copytree(told.folder, tmp_path / "world")
    return World(tmp_path / "world", told.rows)


def test_the_json_has_the_biases_of_all_rows_and_of_each_slice_as_pandas_has_them(
    here: World, tidegate: Callable[..., Any]
) -> None:
    said = tidegate("labels", here.contract, here.file(), "--json", "--store", here.store)
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out, parse_constant=pytest.fail)
    assert (set(found), found["format"], found["dataset"]) == (KEYS, 1, "orders")
    assert found["maturity"] == {
        "state": "mature", "share": 1.0, "expected": 0.9, "batches": {"mature": 6, "immature": 0},
    }  # fmt: skip
    assert found["batches"] == [f"d{day}" for day in DAYS]
    assert (found["edges"], found["refused"]) == ([], 0)
    assert (found["joined"]["labels"], found["joined"]["matched"]) == (6 * ROWS, 6 * ROWS)
    parts = {None: here.rows} | {f"country={value}": part for value, part in here.rows.groupby("country")}
    assert {(item["slice"], item["bucket"]) for item in found["biases"]} == {(name, None) for name in parts}
    for item in found["biases"]:
        part = parts[item["slice"]]
        assert item["n"] == len(part)
        assert item["mean_prediction"] == pytest.approx(part["score"].mean(), abs=1e-9)
        assert item["mean_label"] == pytest.approx(part["returned"].mean(), abs=1e-9)
        assert item["bias"] == pytest.approx((part["score"] - part["returned"]).mean(), abs=1e-9)
        assert item["low"] <= item["bias"] <= item["high"]
        assert item["evidence"] == "approximate"
    assert {"ece", "slope", "intercept"} <= set(found["calibration"])
    assert not [item for item in found["findings"] if item["check"].endswith("_bias")]


def test_the_same_file_twice_and_cut_in_pieces_gives_the_same_json(here: World, say: Callable[..., Said]) -> None:
    common = ("--json", "--store", here.store)
    first = say("labels", here.contract, here.file(), *common)
    again = say("labels", here.contract, here.file(), *common)
    assert (first.code, first.out) == (again.code, again.out)
    pieces = [here.file(here.rows[start::3], f"{start}.parquet") for start in range(3)]
    assert say("labels", here.contract, *pieces, *common).out == first.out


def test_before_the_delay_has_passed_labels_are_immature_and_no_bias_is_computed(
    here: World, say: Callable[..., Said]
) -> None:
    late = here.rows[here.rows["returned"] == 0]
    said = say(
        "labels", here.contract, here.file(late), "--as-of", "2024-03-03T00:00:00Z", "--json", "--store", here.store
    )
    found = said.json
    assert (said.code, found["maturity"]["state"], found["biases"], found["batches"]) == (0, "immature", [], [])
    assert (found["calibration"], found["skill"]) == (None, None)
    assert [(item["check"], item["kind"]) for item in found["findings"]] == [
        ("immature_labels", "insufficient_evidence")
    ]
    low, high = found["bounds"]
    assert low - 1e-9 <= (here.rows["score"] - here.rows["returned"]).mean() <= high + 1e-9
    some = say("labels", here.contract, here.file(), "--as-of", "2024-03-06T00:00:00Z", "--json", "--store", here.store)
    assert some.json["maturity"]["batches"] == {"mature": 2, "immature": 4}
    assert some.json["batches"] == ["d1", "d2"]
    assert "insufficient_evidence" in {item["check"] for item in some.json["findings"]}


def test_a_bias_that_the_contract_calls_critical_exits_with_1_and_its_clean_twin_with_0(
    here: World, say: Callable[..., Said]
) -> None:
    strict = here.with_contract(f'{DELAY}, severity={{"prediction_bias": "critical"}}, bias_tolerance=0.05')
    clean = say("labels", strict, here.file(), "--json", "--store", here.store)
    assert clean.code == 0
    never = here.rows.assign(returned=0.0)
    said = say("labels", strict, here.file(never), "--json", "--store", here.store)
    assert said.code == 1
    (finding,) = [item for item in said.json["findings"] if item["check"] == "prediction_bias"]
    assert (finding["severity"], finding["column"], finding["slice"]) == ("critical", "score", None)
    assert finding["score"] == pytest.approx(here.rows["score"].mean(), abs=1e-9)
    words = say("labels", strict, here.file(never), "--store", here.store)
    assert words.code == 1
    assert "prediction_bias" in words.out
    assert "mature" in words.out


def test_a_refused_delivery_exits_with_1_and_joins_nothing(here: World, say: Callable[..., Said]) -> None:
    said = say("labels", here.contract, here.file(here.rows.assign(returned=7.0)), "--json", "--store", here.store)
    found = said.json
    assert (said.code, found["refused"], found["joined"]["matched"]) == (1, 1, 0)
    assert (found["maturity"]["state"], found["biases"]) == ("immature", [])
    assert ("unknown_labels", "critical") in {(item["check"], item["severity"]) for item in found["findings"]}


def test_labels_of_nobody_are_told_as_unknown(here: World, say: Callable[..., Said]) -> None:
    strangers = here.rows.assign(order_id="nobody-" + here.rows["order_id"])
    said = say("labels", here.contract, here.file(strangers), "--json", "--store", here.store)
    assert (said.code, said.json["joined"]["unknown"], said.json["joined"]["matched"]) == (0, 6 * ROWS, 0)
    assert said.json["biases"] == []


def test_the_tables_show_every_slice(here: World, say: Callable[..., Said]) -> None:
    said = say("labels", here.contract, here.file(), "--crossed", "--store", here.store)
    assert (said.code, said.err) == (0, "")
    for word in ("all rows", "country=DE", "country=FR", "country=IT", "Brier", "mature", "approximate"):
        assert word in said.out
    assert "nan" not in said.out.lower()
    early = say("labels", here.contract, here.file(), "--as-of", "2024-03-01T00:00:00Z", "--store", here.store)
    assert "immature" in early.out
    assert "between" in early.out


def test_wrong_use_exits_with_2_and_says_what_and_how(here: World, say: Callable[..., Said], tmp_path: Path) -> None:
    def wrong(*arguments: object, store: Path = here.store) -> str:
        said = say("labels", *arguments, "--json", "--store", store)
        assert (said.code, said.out) == (2, ""), said
        assert "Traceback" not in said.err
        return said.err

    good = here.file()
    here.rows[["order_id"]].to_parquet(here.folder / "bare.parquet")
    (here.folder / "torn.parquet").write_bytes(b"PAR1 torn")
    assert "none.parquet" in wrong(here.contract, here.folder / "none.parquet")
    assert "'returned': missing" in wrong(here.contract, here.folder / "bare.parquet")
    assert "unreadable" in wrong(here.contract, here.folder / "torn.parquet")
    assert "FOLDER/*" in wrong(here.contract, here.folder)
    assert "someday" in wrong(here.contract, good, "--as-of", "someday")
    assert "there is no store" in wrong(here.contract, good, store=tmp_path / "nowhere")
    assert "no_such.py" in wrong(here.folder / "no_such.py", good)
    assert "LABELS" in wrong(here.contract).upper()
    keyless = here.folder / "keyless.py"
    keyless.write_text(CONTRACT_FILE.replace('key=("order_id",), ', "").replace("EXTRA", ""))
    assert "no key" in wrong(keyless, good)


# Labels of a reference


def _deliver(here: World, frames: Sequence[pd.DataFrame]) -> list[Path]:
    paths = [here.folder / f"reference-{number}.parquet" for number in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.to_parquet(path, index=False)
    return paths


@pytest.fixture
def past(make_orders: Make) -> list[pd.DataFrame]:
    """Eight days of orders before, with labels as the predictions say, but .2 lower in Italy."""
    rng = np.random.default_rng(2)
    frames = [make_orders(day, ROWS) for day in range(20, 28)]
    return [
        frame.assign(returned=(rng.random(ROWS) < frame["score"] - 0.2 * (frame["country"] == "IT")).astype(float))
        for frame in frames
    ]


def test_a_reference_learns_how_predictions_lay_from_labels_in_files_or_from_the_batches_own(
    here: World, say: Callable[..., Said], past: list[pd.DataFrame]
) -> None:
    everything = pd.concat(past)
    contract = tg.load_contract(here.contract)
    wrong = here.file(everything.assign(returned=1.0), "wrong.parquet")
    right = here.file(everything, "right.parquet")
    half = here.file(everything[::2], "half.parquet")
    files = _deliver(here, [frame.drop(columns="returned") for frame in past])
    with at(here.store) as place:
        for labels_, share in (((), 0.0), ((half,), 0.5), ((wrong, right), 1.0)):
            built = references.build(place, contract, files, labels_)
            assert labelled_share(built) == pytest.approx(share, abs=1e-9)
    said = say("reference", "build", here.contract, *_deliver(here, past), "--json", "--store", here.store)
    assert (said.code, said.json["labelled_share"]) == (0, 1.0)
    with at(here.store) as place:
        own = references.load(place, "orders", said.json["reference"])
    assert [item.tallies for item in own.cohorts] == [item.tallies for item in built.cohorts], "the last word counts"
    sums = own.cohorts[0].tallies[""]
    assert sums.names == ("country=DE", "country=FR", "country=IT")
    assert len(own.cohorts[0].edges) == sums.buckets - 1 == 9


def test_what_a_labelled_reference_had_is_expected_of_batches(
    here: World, say: Callable[..., Said], past: list[pd.DataFrame]
) -> None:
    italy = here.rows["country"] == "IT"
    lower = here.rows.assign(
        returned=(np.random.default_rng(3).random(len(here.rows)) < here.rows["score"] - 0.2 * italy).astype(float)
    )
    common = ("--json", "--store", here.store)
    alone = say("labels", here.contract, here.file(lower), *common)
    assert alone.json["edges"] == []
    sign = ("--approve", "--by", "ann", "--reason", "eight days with labels")
    built = say("reference", "build", here.contract, *_deliver(here, past), *sign, *common)
    assert built.code == 0, built.err
    against = say("labels", here.contract, here.file(lower), *common)
    assert len(against.json["edges"]) == 9
    ratios = [
        next(b["score_ratio"] for b in said.json["biases"] if (b["slice"], b["bucket"]) == ("country=IT", None))
        for said in (alone, against)
    ]
    assert ratios[0] > 1 >= ratios[1]
    assert not [item for item in against.json["findings"] if item["check"] == "slice_bias"]


def test_labels_that_cannot_be_those_of_a_reference_are_refused(
    here: World, say: Callable[..., Said], past: list[pd.DataFrame]
) -> None:
    files = _deliver(here, [frame.drop(columns="returned") for frame in past])
    build = ("reference", "build", here.contract, *files, "--json", "--store", here.store, "--labels")
    broken = here.file(past[0].assign(returned=5.0), "broken.parquet")
    for path, word in ((here.folder / "none.parquet", "none.parquet"), (broken, "break the contract")):
        said = say(*build, path)
        assert (said.code, said.out) == (2, "")
        assert word in said.err


# Real flights: the year's own labels, and a model that is wrong about one carrier

FIRST, LAST = date(2013, 4, 1), date(2013, 4, 14)
CARRIER = "DL"


def _cohort(rows: pd.DataFrame, contract: tg.Contract, known: Reference | None) -> Cohort:
    label = pa.array(rows["late"], from_pandas=True)
    start, end = rows["scheduled"].min(), rows["scheduled"].max()
    window = Window(start.to_pydatetime(), end.to_pydatetime() + timedelta(microseconds=1))
    table = data.table(rows).select(cohort_columns(contract))
    settled = np.ones(len(rows), dtype=bool)
    return cohort_of(
        str(rows["day"].iloc[0]), window, table, Labels(label, settled, np.zeros(len(rows), np.int32)), contract, known
    )


@pytest.fixture(scope="module")
def known(flights: pd.DataFrame, flights_contract: tg.Contract) -> Reference:
    """Five days of February, which fix the buckets and the slices."""
    days = [date(2013, 2, day) for day in range(4, 9)]
    batches = [
        Batch(flights_contract.name, str(day), Source(f"{day}.parquet", ".parquet", "", 0), table, table)
        for day, table in ((day, data.table(flights[flights["day"] == day])) for day in days)
    ]
    layout = Layout.of(batches, flights_contract)
    blocks = tuple(Block(batch.id, None, Profile.of(batch.table, layout)) for batch in batches)
    return Reference(flights_contract.name, flights_contract.sha256, layout, blocks)


@pytest.fixture(scope="module")
def before(flights: pd.DataFrame, flights_contract: tg.Contract, known: Reference) -> list[Cohort]:
    """February and March with their labels."""
    first, last = data.REFERENCE
    chosen = flights[(flights["day"] >= first) & (flights["day"] <= last)]
    return [_cohort(rows, flights_contract, known) for _, rows in chosen.groupby("day", sort=True)]


def _judged(
    flights: pd.DataFrame, contract: tg.Contract, known: Reference, before: list[Cohort], planted: float
) -> tuple[pd.DataFrame, LabelReport]:
    april = flights[(flights["day"] >= FIRST) & (flights["day"] <= LAST)]
    moved = (april["p_late"] + planted * (april["carrier"] == CARRIER)).clip(0, 1)
    days = dict(tuple(april.assign(p_late=moved).groupby("day", sort=True)))
    cohorts = [_cohort(rows, contract, known) for rows in days.values()]

    made = {
        str(day): list(pairs_of(str(day), data.table(rows), pa.array(rows["late"], from_pandas=True), contract))
        for day, rows in days.items()
    }

    def pairs(batches: Sequence[str]) -> Iterator[Pairs]:
        for day in batches:
            yield from made[day]

    asked = frozenset(item.batch for item in cohorts)
    now = datetime(2013, 6, 1, tzinfo=UTC)
    question = Question(contract, cohorts, asked, before, now, pairs, lambda named: bool(named))
    return pd.concat(days.values()), judge(question)


def test_a_tenth_too_much_for_one_carrier_of_real_flights_is_found_and_named_and_the_clean_twin_is_not(
    flights: pd.DataFrame, flights_contract: tg.Contract, known: Reference, before: list[Cohort]
) -> None:
    rows, found = _judged(flights, flights_contract, known, before, 0.1)
    slices = {item.slice for item in found.findings if item.check == "slice_bias"}
    assert slices == {f"carrier={CARRIER}"}
    part = rows[(rows["carrier"] == CARRIER) & rows["late"].notna()]
    cell = next(item for item in found.biases if (item.slice, item.bucket) == (f"carrier={CARRIER}", None))
    assert (cell.n, cell.evidence.value) == (len(part), "sufficient")
    assert cell.bias == pytest.approx((part["p_late"] - part["late"]).mean(), abs=1e-9)
    assert cell.score_ratio is not None
    assert cell.score_ratio > 1
    _, clean = _judged(flights, flights_contract, known, before, 0.0)
    assert not [item for item in clean.findings if item.check.endswith("_bias")]
    assert len(clean.edges) == 9
    json.dumps([found.to_dict(), clean.to_dict()], allow_nan=False)
