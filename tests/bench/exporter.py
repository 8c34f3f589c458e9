"""How long a scrape takes when the ledger is large: ``make bench-exporter``.

A few real days of flights pass the gate and get labels; what the ledger keeps of them is copied, under other names,
until it has 100,000 runs of 20 datasets. Then pages are asked for: the first one of a process, later ones, and those
after another process has written.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import tidegate as tg
import tidegate_flows.demo.story as story
from tidegate_flows.exporter import Exporter
from tidegate_flows.judging import judge_at
from tidegate_flows.labels import join_at
from tidegate_flows.place import at
from tidegate_flows.settings import resolve

DAYS = 20
DAY = 86_400.0


def main(arguments: Sequence[str]) -> int:
    """Fill a ledger, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the ledger here, and use it again")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        store = chosen.folder or Path(temporary)
        if not (store / "ledger.db").exists():
            real(store)
            started = perf_counter()
            fill(store / "ledger.db", chosen.runs, chosen.datasets)
            size = (store / "ledger.db").stat().st_size / 1e9
            seconds = perf_counter() - started
            say(f"{chosen.runs:,} runs of {chosen.datasets} datasets, {size:.1f} GB, in {seconds:.0f} s")
        return measure(store)


def real(store: Path) -> None:
    """Twenty days of flights through the gate, with a reference, the demo's incidents, and labels."""
    with tempfile.TemporaryDirectory() as folder, at(store) as place:
        path, places = story.prepare(Path(folder), DAYS)
        contract = tg.load_contract(path)
        story.build_reference(place, path, places["reference"], places["reference_labels"])
        for delivery in sorted(places["deliveries"].glob("*.parquet")):
            tg.gate(delivery, contract, store=store, as_of="window")
        touched = []
        for labels in sorted(places["labels"].glob("*.parquet")):
            touched += [cohort.batch for cohort in join_at(place, labels, contract).touched]
        judge_at(place, contract, touched, place.clock())


def fill(path: Path, runs: int, datasets: int) -> None:
    """Copy what is there until there are so many runs of so many datasets; what is there stays the first of them."""
    with sqlite3.connect(path) as ledger:
        ledger.execute("PRAGMA synchronous=OFF")
        ledger.row_factory = sqlite3.Row
        known = [dict(row) for row in ledger.execute("SELECT * FROM runs ORDER BY seq")]
        names = [f"{known[0]['dataset']}_{number:02}" for number in range(datasets - 1)]
        for table in ("contracts", "breakers", "counters", "streams", "label_reports"):
            rows = [dict(row) for row in ledger.execute(f"SELECT * FROM {table}")]  # noqa: S608 - our own names
            _insert(ledger, table, [row | {"dataset": name} for name in names for row in rows])
        cohorts = [dict(row) for row in ledger.execute("SELECT * FROM cohorts")]
        each = runs // datasets
        for name in [known[0]["dataset"], *names]:
            first = len(known) if name == known[0]["dataset"] else 0
            _insert(ledger, "runs", _runs(known, name, range(first, each)))
            _insert(ledger, "audit", _entries(ledger, name, 2 * each))
            _insert(ledger, "cohorts", _cohorts(cohorts, name, range(first, each)))
            ledger.commit()


def _runs(known: Sequence[dict[str, Any]], name: str, numbers: range) -> Iterator[dict[str, Any]]:
    """The runs of a dataset: of fifty one is refused and one held, and of ten one was judged again."""
    for number in numbers:
        row = known[number % len(known)]
        decision = {0: "quarantine", 1: "hold"}.get(number % 50, "publish")
        yield {key: value for key, value in row.items() if key != "seq"} | {
            "run": str(UUID(int=hash((name, number)) % (1 << 64))),
            "dataset": name,
            "batch": f"batch-{number}",
            "decision": decision,
            "completed_at": row["completed_at"] + number * DAY,
            "event_end": row["event_end"] + number * DAY,
            "superseded": number % 10 == 9,
            "discarded": number % 100 == 0,
            "arrival": number % 10 != 9,
            "rows_quarantined": number % 3,
        }


def _cohorts(known: Sequence[dict[str, Any]], name: str, numbers: range) -> Iterator[dict[str, Any]]:
    for number in numbers:
        row = known[number % len(known)]
        times = {key: row[key] + number * DAY for key in ("event_end", "joined_at")}
        yield row | times | {"dataset": name, "batch": f"batch-{number}"}


def _entries(ledger: sqlite3.Connection, name: str, many: int) -> Iterator[dict[str, Any]]:
    rows = [dict(row) for row in ledger.execute("SELECT * FROM audit ORDER BY seq LIMIT 20")]
    first = ledger.execute("SELECT coalesce(max(seq), 0) FROM audit WHERE dataset = ?", (name,)).fetchone()[0]
    for number in range(first + 1, many + 1):
        yield rows[number % len(rows)] | {"dataset": name, "seq": number}


def _insert(ledger: sqlite3.Connection, table: str, rows: Any) -> None:
    rows = iter(rows)
    row = next(rows, None)
    if row is None:
        return
    names = ", ".join(f'"{name}"' for name in row)
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in row)})"  # noqa: S608 - our own names
    ledger.execute(statement, tuple(row.values()))
    ledger.executemany(statement, (tuple(row.values()) for row in rows))


def measure(store: Path) -> int:
    """Say how long pages take; the exit code says whether a page takes less than a tenth of a second."""
    exporter = Exporter(resolve(store=store))
    content, _ = exporter.page()
    say(f"the page: {len(content.splitlines()):,} lines, {len(content) / 1e6:.2f} MB")
    say("milliseconds: median (worst)             by the clock        of CPU")
    told("the first page of a process", [timed(Exporter(resolve(store=store))) for _ in range(3)])
    again = [timed(exporter) for _ in range(20)]
    told("later pages", again)
    written = []
    for number in range(10):
        write(store / "ledger.db", number)
        written.append(timed(exporter))
    told("after another process wrote", written)
    return int(statistics.median(clock for clock, _ in again) >= 100)


def timed(exporter: Exporter) -> tuple[float, float]:
    """Milliseconds for one page: by the clock, and of CPU."""
    started, worked = perf_counter(), process_time()
    exporter.page()
    return (perf_counter() - started) * 1000, (process_time() - worked) * 1000


def told(what: str, times: Sequence[tuple[float, float]]) -> None:
    """One line of the report."""
    columns = (f"{statistics.median(column):5.0f} ({max(column):.0f})" for column in zip(*times, strict=True))
    say(f"{what:<36}" + "".join(f"{column:>16}" for column in columns))


def write(path: Path, number: int) -> None:
    """Another run of each dataset, as from another process."""
    with sqlite3.connect(path) as ledger:
        ledger.row_factory = sqlite3.Row
        last = "SELECT * FROM runs WHERE seq IN (SELECT max(seq) FROM runs GROUP BY dataset)"
        rows = [dict(row) for row in ledger.execute(last)]
        for row in rows:
            del row["seq"]
            row |= {"run": str(UUID(int=hash((row["run"], number)) % (1 << 64))), "batch": f"{row['batch']}-{number}"}
            row |= {"arrival": 1, "superseded": 0, "comparisons": json.dumps(json.loads(row["comparisons"]))}
        _insert(ledger, "runs", rows)


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
