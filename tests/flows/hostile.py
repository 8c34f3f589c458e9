"""The hostile corpus: everything that has no business being published, and odd files that have.

Each case writes one delivery into an empty folder and says what must become of it: ``published``, ``refused`` (wrong
use, nothing is decided), or quarantined under one of the named checks.
"""

# ruff: noqa: ARG005 - every case is given its folder and its rows, and few need both
from __future__ import annotations

import gzip
import io
import json
import os
import random
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40
COLUMNS = ("order_id", "placed", "country", "amount", "items", "note", "score")
PUBLISHED, REFUSED, UNREADABLE, SCHEMA = "published", "refused", "unreadable", "schema_mismatch"

Write = Callable[[Path, pd.DataFrame], Any]


@dataclass(frozen=True)
class Case:
    """One delivery.

    Attributes:
        name: What is odd about it.
        write: Writes it into a folder, from good rows of its own; gives the path or URL to deliver.
        expected: What may become of it.
    """

    name: str
    write: Write
    expected: frozenset[str]


def orders(day: int, rows: int = ROWS) -> pd.DataFrame:
    """Rows that keep the contract of orders; other ones for each day."""
    rng = np.random.default_rng(day)
    start = pd.Timestamp("2024-01-01", tz="UTC") + timedelta(days=day)
    return pd.DataFrame(
        {
            "order_id": [f"o{day}-{number:04}" for number in range(rows)],
            "placed": (start + pd.to_timedelta(np.sort(rng.integers(0, 86_400, rows)), unit="s")).astype(
                "datetime64[us, UTC]"
            ),
            "country": rng.choice(["DE", "FR", "IT"], rows),
            "amount": np.round(rng.lognormal(3, 0.7, rows).clip(0, 10_000), 2),
            "items": rng.integers(1, 6, rows),
            "note": np.where(rng.random(rows) < 0.3, None, "gift"),
            "score": np.round(rng.beta(2, 6, rows), 4),
        }
    )


# ways to write good rows


def arrow_of(frame: pd.DataFrame) -> Any:
    """A frame as a ``pyarrow.Table``."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def _plain(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column


def parquet_of(table: Any, **arguments: Any) -> bytes:
    """A table as parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **({"write_page_checksum": True, "compression": "none"} | arguments))
    return sink.getvalue()


def ipc_of(table: Any, *, stream: bool = False, **arguments: Any) -> bytes:
    """A table as an Arrow file or stream."""
    sink = io.BytesIO()
    start = pa.ipc.new_stream if stream else pa.ipc.new_file
    with start(sink, table.schema, options=pa.ipc.IpcWriteOptions(**arguments)) as writer:
        writer.write_table(table, max_chunksize=16)
    return sink.getvalue()


def csv_of(frame: pd.DataFrame, **arguments: Any) -> bytes:
    """A frame as CSV."""
    return frame.to_csv(index=False, **arguments).encode()


def lines_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame as JSON objects."""
    times = frame.assign(placed=frame["placed"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return [
        {key: None if value is None or value != value else value for key, value in row.items()}
        for row in times.to_dict("records")
    ]


def jsonl_of(rows: list[Any]) -> bytes:
    """Objects as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


# how a case becomes a file


def file(name: str, content: Callable[[pd.DataFrame], bytes]) -> Write:
    """One file of this name."""

    def write(folder: Path, frame: pd.DataFrame) -> Path:
        path = folder / name
        path.write_bytes(content(frame))
        return path

    return write


def folder_of(parts: Mapping[str, Callable[[pd.DataFrame], bytes]]) -> Write:
    """A directory of files, each written from its share of the rows."""

    def write(folder: Path, frame: pd.DataFrame) -> Path:
        path = folder / "day"
        path.mkdir()
        for number, (name, content) in enumerate(parts.items()):
            (path / name).write_bytes(content(frame.iloc[number :: len(parts)]))
        return path

    return write


def parquet(change: Callable[[Any], Any] = lambda table: table, **arguments: Any) -> Write:
    """A parquet file of changed rows."""
    return file("day.parquet", lambda frame: parquet_of(change(arrow_of(frame)), **arguments))


def broken_parquet(change: Callable[[bytes], bytes], **arguments: Any) -> Write:
    """A parquet file of changed bytes."""
    return file("day.parquet", lambda frame: change(parquet_of(arrow_of(frame), **arguments)))


def broken_arrow(change: Callable[[bytes], bytes], **arguments: Any) -> Write:
    """An Arrow file of changed bytes."""
    return file("day.arrow", lambda frame: change(ipc_of(arrow_of(frame), **arguments)))


def csv(change: Callable[[bytes], bytes] = lambda content: content, name: str = "day.csv") -> Write:
    """A CSV file of changed bytes."""
    return file(name, lambda frame: change(csv_of(frame)))


def jsonl(change: Callable[[list[Any]], Any], name: str = "day.jsonl") -> Write:
    """A file of JSON lines of changed objects; bytes are written as they are."""

    def content(frame: pd.DataFrame) -> bytes:
        found = change(lines_of(frame))
        return found if isinstance(found, bytes) else jsonl_of(found)

    return file(name, content)


def always(content: bytes) -> Callable[[Any], bytes]:
    """These bytes, whatever the rows."""
    return lambda _: content


def flipped(content: bytes, seed: int) -> bytes:
    """The same bytes with one bit another."""
    rng = random.Random(seed)  # noqa: S311 - which bit is no secret
    altered = bytearray(content)
    altered[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(altered)


def swap(content: bytes, old: bytes, new: bytes) -> bytes:
    """Other bytes in the place of those that are there."""
    assert old in content, old
    return content.replace(old, new)


def renamed(name: str) -> Callable[[bytes], bytes]:
    """CSV whose first column has another name, quoted."""
    return lambda content: content.replace(b"order_id", b'"' + name.encode() + b'"', 1)


# what is inside the bombs


def pickle_touching(path: Path, protocol: int) -> bytes:
    """A pickle that makes a file when it is loaded."""
    import pickle

    class Trap:
        def __reduce__(self) -> Any:
            return (os.system, (f"touch {path}",))

    return pickle.dumps(Trap(), protocol=protocol)


def pickled(name: str, protocol: int = 4) -> Write:
    """A pickle under another name."""

    def write(folder: Path, frame: pd.DataFrame) -> Path:
        path = folder / name
        path.write_bytes(pickle_touching(folder / "exploded", protocol))
        return path

    return write


def extension_pickle(folder: Path, frame: pd.DataFrame) -> Path:
    """An Arrow file whose extension type holds a pickle, which old readers loaded."""
    trap = pickle_touching(folder / "exploded", 4)
    meta = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": trap}
    table = arrow_of(frame)
    schema = pa.schema([field.with_metadata(meta) if field.name == "note" else field for field in table.schema])
    path = folder / "day.arrow"
    path.write_bytes(ipc_of(pa.table(table.columns, schema=schema)))
    return path


def zipped(name: str, inner: str) -> Callable[[pd.DataFrame], bytes]:
    """A zip archive with a bomb in it."""

    def content(_: pd.DataFrame) -> bytes:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(inner, bytes(10_000_000))
        return sink.getvalue()

    return content


def varint(number: int) -> bytes:
    """A zigzag varint, as footers of parquet hold numbers."""
    number = (number << 1) ^ (number >> 63)
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def lying(rows: int) -> Callable[[bytes], bytes]:
    """A parquet file whose footer claims another number of rows, everywhere."""

    def change(content: bytes) -> bytes:
        (length,) = struct.unpack("<I", content[-8:-4])
        body, footer = content[: -8 - length], content[-8 - length : -8]
        claimed = footer.replace(b"\x16" + varint(ROWS), b"\x16" + varint(rows))
        assert claimed != footer
        return body + claimed + struct.pack("<I", len(claimed)) + b"PAR1"

    return change


def lying_once(content: bytes) -> bytes:
    """A footer that contradicts itself."""
    at = content.rindex(b"\x16" + varint(ROWS) + b"\x19")
    return content[: at + 1] + varint(ROWS + 1) + content[at + 2 :]


def footer_length(value: int) -> Callable[[bytes], bytes]:
    """A footer that says it is so long."""
    return lambda content: content[:-8] + struct.pack("<I", value) + content[-4:]


def offsets(change: Callable[[list[int]], list[int]]) -> Callable[[bytes], bytes]:
    """An Arrow file whose offsets of the first text column are others."""

    def apply(content: bytes) -> bytes:
        for width in range(6, 12):
            first = [width * number for number in range(17)]
            old = struct.pack("<17i", *first)
            if old in content:
                return content.replace(old, struct.pack("<17i", *change(list(first))), 1)
        raise AssertionError(first)

    return apply


def with_dictionary(change: Callable[[bytes], bytes]) -> Write:
    """An Arrow file with a dictionary column, of changed bytes."""

    def content(frame: pd.DataFrame) -> bytes:
        table = arrow_of(frame)
        codes = pa.array(np.full(len(frame), 2, dtype=np.int32))
        column = pa.DictionaryArray.from_arrays(codes, pa.array(["DE", "FR", "IT"]))
        return change(ipc_of(table.set_column(2, "country", column)))

    return file("day.arrow", content)


# what lies where no file should be


def fifo(folder: Path, frame: pd.DataFrame) -> Path:
    """A FIFO that nobody writes to."""
    path = folder / "day.parquet"
    os.mkfifo(path)
    return path


def link(target: Callable[[Path, pd.DataFrame], Path]) -> Write:
    """A link to something."""

    def write(folder: Path, frame: pd.DataFrame) -> Path:
        path = folder / "link.parquet"
        path.symlink_to(target(folder, frame))
        return path

    return write


def outside(folder: Path, frame: pd.DataFrame) -> Path:
    """A good file in another folder."""
    other = folder.parent / f"{folder.name}-elsewhere"
    other.mkdir()
    (other / "good.parquet").write_bytes(parquet_of(arrow_of(frame)))
    return other / "good.parquet"


def beside(folder: Path, frame: pd.DataFrame) -> Path:
    """A good file in the same folder."""
    (folder / "good.parquet").write_bytes(parquet_of(arrow_of(frame)))
    return folder / "good.parquet"


def listening(folder: Path, frame: pd.DataFrame) -> Path:
    """A socket."""
    path = folder / "s.parquet"
    before = Path.cwd()
    os.chdir(folder)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)
    return path


def sparse(folder: Path, frame: pd.DataFrame) -> Path:
    """A file that is huge and takes no space."""
    path = folder / "day.parquet"
    with path.open("wb") as out:
        out.write(b"PAR1")
        out.truncate(1 << 40)
    return path


def spoiled(folder: Path, frame: pd.DataFrame, spoil: Callable[[Path], Any]) -> Path:
    """A directory with one good part and something else."""
    path = folder_of({"part-0.parquet": lambda rows: parquet_of(arrow_of(rows))})(folder, frame)
    spoil(path)
    return Path(path)


def spoiling(spoil: Callable[[Path], Any]) -> Write:
    """As a case."""
    return lambda folder, frame: spoiled(folder, frame, spoil)


def url(protocol: str) -> Write:
    """A good file behind a URL."""

    def write(folder: Path, frame: pd.DataFrame) -> str:
        content = parquet_of(arrow_of(frame))
        if protocol == "file":
            (folder / "day.parquet").write_bytes(content)
            return f"file://{folder}/day.parquet"
        import fsspec

        place = f"memory://bucket-{folder.name}/day=1/x.parquet"
        with fsspec.open(place, "wb") as out:
            out.write(content)
        return place

    return write


def everywhere(name: str, value: Any) -> Callable[[list[Any]], list[Any]]:
    """Each line with this value under this key."""
    return lambda rows: [row | {name: value} for row in rows]


def column(name: str, values: Callable[[int], Any]) -> Callable[[Any], Any]:
    """A table with other values in one column, or one column more."""

    def change(table: Any) -> Any:
        array = values(table.num_rows)
        if name in table.column_names:
            return table.set_column(table.column_names.index(name), name, array)
        return table.append_column(name, array)

    return change


def cast(name: str, to: Any) -> Callable[[Any], Any]:
    """A table with one column as another type."""
    return lambda table: table.set_column(table.column_names.index(name), name, table.column(name).cast(to))


_HTML = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>\n"
_MANY = b",".join(b"c%d" % number for number in range(10_000))
_PARTS = {f"part-{number}.parquet": (lambda rows: parquet_of(arrow_of(rows))) for number in range(3)}


def bad() -> Iterator[tuple[str, Write, set[str]]]:
    """What must not be published."""
    for name, end in {"nothing": 0, "magic only": 4, "twice magic": 8}.items():
        yield f"parquet cut after {name}", broken_parquet(lambda c, end=end: c[:end]), {UNREADABLE}
    yield "parquet of nothing but magic", file("day.parquet", always(b"PAR1PAR1")), {UNREADABLE}
    for part in (0.25, 0.5, 0.75, 0.99):
        yield f"parquet cut at {part}", broken_parquet(lambda c, part=part: c[: int(len(c) * part)]), {UNREADABLE}
    for less in (1, 4, 8):
        yield f"parquet without its last {less} bytes", broken_parquet(lambda c, less=less: c[:-less]), {UNREADABLE}
    yield "parquet with bytes after its end", broken_parquet(lambda c: c + b"more"), {UNREADABLE}
    yield "encrypted parquet", broken_parquet(lambda c: b"PARE" + c[4:-4] + b"PARE"), {UNREADABLE}
    yield "parquet with an encrypted footer only", broken_parquet(lambda c: c[:-4] + b"PARE"), {UNREADABLE}
    for claim in (0, 8, 2**31 - 1, 2**32 - 1):
        yield f"a footer of {claim} bytes", broken_parquet(footer_length(claim)), {UNREADABLE}
    for rows in (ROWS + 1, 2**40, 2**62):
        yield f"a footer that claims {rows} rows", broken_parquet(lying(rows)), {UNREADABLE}
    yield "a footer that contradicts itself", broken_parquet(lying_once), {UNREADABLE}
    yield "a footer of zeros", broken_parquet(lambda c: c[:-308] + bytes(300) + c[-8:]), {UNREADABLE}
    yield "pages of zeros", broken_parquet(lambda c: c[:4] + bytes(600) + c[604:]), {UNREADABLE}
    yield "a page altered", broken_parquet(lambda c: swap(c, b"gift", b"gilt")), {UNREADABLE}
    yield "a page that is not utf-8", parquet_bad_text, {UNREADABLE}
    yield "compressed pages of noise", broken_parquet(noise, compression="zstd"), {UNREADABLE}
    yield "seventy cells of four megabytes", parquet(bomb, compression="zstd", store_schema=False), {UNREADABLE}
    yield "a dictionary of one word of four megabytes", parquet(bomb, compression="zstd"), {UNREADABLE}
    yield "parquet of thirty million rows", parquet(lambda t: constant(30_000_000), compression="zstd"), {UNREADABLE}
    yield "parquet of 3,000 columns", parquet(lambda t: wide(3_000)), {UNREADABLE}
    yield "parquet without columns", parquet(lambda t: pa.table({})), {UNREADABLE, SCHEMA, "volume"}
    yield "parquet with a name twice", parquet(lambda t: t.append_column("note", t.column("note"))), {UNREADABLE}
    for kind, values in nested().items():
        yield f"parquet with a {kind} column more", parquet(column("extra", values)), {SCHEMA}
        yield f"a {kind} where a number should be", parquet(column("amount", values)), {SCHEMA}
    yield (
        "infinities",
        parquet(column("amount", lambda n: pa.array([float("inf")] * n))),
        {"impossible_values", "non_finite"},
    )
    yield "NaN", parquet(column("amount", lambda n: pa.array([float("nan")] * n))), {"missing_values", "non_finite"}
    yield "a million years", parquet(column("placed", far_away)), {SCHEMA, "impossible_values", UNREADABLE, PUBLISHED}
    yield (
        "dates beyond every calendar",
        parquet(column("extra", lambda n: pa.array([2**30] * n, pa.date32()))),
        {UNREADABLE},
    )

    strangers = {
        "html": _HTML,
        "xml": b"<?xml version='1.0'?><a/>",
        "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
        "pdf": b"%PDF-1.7\n%\xe2\xe3",
        "sqlite": b"SQLite format 3\0" + bytes(84),
        "empty zip": b"PK\x05\x06" + bytes(18),
        "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(20),
        "noise": random.Random(3).randbytes(999),  # noqa: S311 - no secret
        "nothing": b"",
        "zeros": bytes(4096),
    }
    for name, content in strangers.items():
        for suffix in (".csv", ".parquet"):
            yield f"{name} named {suffix}", file(f"day{suffix}", always(content)), {UNREADABLE}
    for suffix in (".arrow", ".jsonl", ".csv.gz", ".pkl", ".xlsx", ".xml", ".zip", ".parts", ""):
        yield f"html named {suffix or 'nothing'}", file(f"day{suffix}", always(_HTML)), {UNREADABLE}
    for suffix in (".xlsx", ".csv", ".parquet", ".zip"):
        yield f"a zip bomb named {suffix}", file(f"day{suffix}", zipped("day", "xl/workbook.xml")), {UNREADABLE}
    for suffix in (".pkl", ".parquet", ".csv", ".csv.gz", ".arrow", ".jsonl"):
        yield f"a pickle named {suffix}", pickled(f"day{suffix}"), {UNREADABLE}
    yield "an old pickle named .csv", pickled("day.csv", 0), {UNREADABLE, SCHEMA}
    yield "an Arrow extension that is a pickle", extension_pickle, {PUBLISHED, UNREADABLE}
    yield "csv named parquet", csv(name="day.parquet"), {UNREADABLE}
    yield "csv named json", csv(name="day.json"), {UNREADABLE}
    yield "parquet named csv", file("day.csv", lambda f: parquet_of(arrow_of(f))), {UNREADABLE}
    yield "parquet named arrow", file("day.arrow", lambda f: parquet_of(arrow_of(f))), {UNREADABLE}
    yield "arrow named parquet", file("day.parquet", lambda f: ipc_of(arrow_of(f))), {UNREADABLE}
    yield "a suffix of two hundred letters", file("day." + "x" * 200, always(b"a\n1\n")), {UNREADABLE}
    yield from bad_csv()
    yield from bad_json()
    yield from bad_arrow()
    yield from bad_places()


def bad_csv() -> Iterator[tuple[str, Write, set[str]]]:
    """CSV that must not be published."""
    yield "csv with a short row", csv(lambda c: c + b"o-1,2\n"), {UNREADABLE}
    yield "csv with a long row", csv(lambda c: c + b"1,2,3,4,5,6,7,8\n"), {UNREADABLE}
    yield "csv cut in a row", csv(lambda c: c[: c.rindex(b",")]), {UNREADABLE}
    yield "csv with a quote that never ends", csv(lambda c: c.replace(b"gift", b'"gift', 1)), {UNREADABLE}
    yield "csv of spaces", file("day.csv", always(b" \n\n\t \n")), {UNREADABLE}
    yield "csv of a header only", csv(lambda c: c.split(b"\n")[0] + b"\n"), {"volume"}
    yield "csv of commas", file("day.csv", always(b",,,,,,\n" * 9)), {UNREADABLE}
    yield "csv with semicolons", csv(lambda c: c.replace(b",", b";")), {SCHEMA}
    yield "csv with tabs", csv(lambda c: c.replace(b",", b"\t")), {SCHEMA}
    yield "csv without its header", csv(lambda c: c.partition(b"\n")[2]), {SCHEMA}
    yield (
        "csv without a column",
        csv(lambda c: b"\n".join(r.rpartition(b",")[0] for r in c.split(b"\n")[:-1])),
        {SCHEMA},
    )
    yield "csv with words for numbers", csv(lambda c: c.replace(b".", b"o")), {SCHEMA}
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield f"csv in {encoding}", csv(lambda c, e=encoding: c.decode().encode(e)), {UNREADABLE}
    for encoding in ("latin-1", "cp1252", "shift-jis"):
        change = "ギフト" if encoding == "shift-jis" else "Geschenk für Zoë"
        yield (
            f"csv in {encoding}",
            csv(lambda c, e=encoding, w=change: c.decode().replace("gift", w).encode(e)),
            {UNREADABLE},
        )
    yield "csv that is no utf-8 late", csv(lambda c: c + late_rows(4_000) + b"x,\xff,,,,,\n"), {UNREADABLE}
    yield "a lone surrogate in bytes", csv(lambda c: c.replace(b"gift", b"\xed\xa0\x80", 1)), {UNREADABLE}
    yield "an overlong encoding", csv(lambda c: c.replace(b"gift", b"\xc0\xaf", 1)), {UNREADABLE}
    yield "a header that is no utf-8", csv(lambda c: c.replace(b"order_id", b"order\xff", 1)), {UNREADABLE}
    yield "a header with a name twice", csv(lambda c: c.replace(b"note", b"items", 1)), {UNREADABLE}
    names = {
        "a formula": "=cmd|' /C calc'!A0",
        "a script": "<script>alert(1)</script>",
        "line ends": "order\nid\r",
        "an escape sequence": "\x1b[2J\x1b]0;owned\x07",
        "a mark that turns direction": "\u202eid_redro",
        "a NUL": "order\0id",
        "nothing visible": "\u200b",
        "a very long name": "x" * 5_000,
        "SQL": "'; drop table runs; --",
        "a template": "{{7*7}}${7*7}",
        "markup": "[red]order[/red]",
        "a path": "../../etc/passwd",
    }
    for name, text in names.items():
        yield f"a column named as {name}", csv(renamed(text)), {SCHEMA}
    yield "csv of ten thousand columns", file("day.csv", always(_MANY + b"\n" + _MANY + b"\n")), {UNREADABLE}
    yield "a cell of five megabytes", csv(lambda c: c.replace(b"gift", b"x" * 5_000_000, 1)), {UNREADABLE}
    yield "a gzip bomb", file("day.csv.gz", lambda f: gzip.compress(csv_of(f) + bytes(40_000_000), 1)), {UNREADABLE}
    yield (
        "a gzip bomb of good rows",
        file("day.csv.gz", lambda f: gzip.compress(b"a\n" + b"1\n" * 20_000_000, 1)),
        {UNREADABLE},
    )
    yield "a gzip in a gzip", file("day.csv.gz", lambda f: gzip.compress(gzip.compress(csv_of(f)))), {UNREADABLE}
    yield "gzip named csv", file("day.csv", lambda f: gzip.compress(csv_of(f))), {UNREADABLE}
    yield "csv named gzip", csv(name="day.csv.gz"), {UNREADABLE}
    yield "gzip cut off", file("day.csv.gz", lambda f: gzip.compress(csv_of(f))[:-9]), {UNREADABLE}
    yield "gzip with a tail", file("day.csv.gz", lambda f: gzip.compress(csv_of(f)) + b"tail"), {UNREADABLE}
    yield (
        "gzip with another checksum",
        file("day.csv.gz", lambda f: gzip.compress(csv_of(f))[:-8] + bytes(8)),
        {UNREADABLE},
    )


def bad_json() -> Iterator[tuple[str, Write, set[str]]]:
    """JSON that must not be published."""
    yield "json nested a million deep", jsonl(lambda r: b'{"a":' * 100 + b"[" * 900_000), {UNREADABLE}
    yield "json nested in a column", jsonl(lambda r: jsonl_of(r) + b'{"note":' + b"[" * 400_000 + b"\n"), {UNREADABLE}
    yield "json with a key twice", jsonl(lambda r: jsonl_of(r) + b'{"items": 1, "items": 2}\n'), {UNREADABLE}
    yield (
        "json with a key twice, escaped",
        jsonl(lambda r: jsonl_of(r) + b'{"items": 1, "\\u0069tems": 2}\n'),
        {UNREADABLE},
    )
    for word in ("NaN", "Infinity", "-Infinity", "undefined", "'a'", "01", "1.", ".5", "0x1", "True"):
        yield (
            f"json with {word}",
            jsonl(lambda r, w=word: jsonl_of(r) + b'{"items": ' + w.encode() + b"}\n"),
            {UNREADABLE},
        )
    yield "one json array", jsonl(lambda r: json.dumps(r).encode(), "day.json"), {UNREADABLE}
    yield "json over several lines", jsonl(lambda r: json.dumps(r[0], indent=1).encode(), "day.json"), {UNREADABLE}
    yield "json of numbers", jsonl(lambda r: b"1\n2\n"), {UNREADABLE}
    yield "json of empty objects", jsonl(lambda r: b"{}\n{}\n"), {UNREADABLE}
    yield "json cut in a line", jsonl(lambda r: jsonl_of(r)[:-5]), {UNREADABLE}
    yield "json with a lone surrogate", jsonl(everywhere("note", "\ud800")), {UNREADABLE}
    yield "json in latin-1", jsonl(lambda r: jsonl_of(r).replace(b"gift", b"f\xfcr")), {UNREADABLE}
    yield "json in utf-16", jsonl(lambda r: jsonl_of(r).decode().encode("utf-16")), {UNREADABLE}
    yield "json with a line of two megabytes", jsonl(lambda r: [*r, {"note": "x" * 2_000_000}]), {UNREADABLE}
    yield "json of five thousand keys", jsonl(lambda r: [{f"k{i}": i for i in range(5_000)}]), {UNREADABLE}
    yield "json whose keys grow", jsonl(lambda r: [{f"k{i}": i} for i in range(5_000)]), {UNREADABLE}
    yield "json of one integer of a megabyte", jsonl(lambda r: b'{"items": ' + b"9" * 900_000 + b"}\n"), {SCHEMA}
    yield "json with strings for numbers", jsonl(everywhere("items", "2")), {SCHEMA}
    yield "json with some strings for numbers", jsonl(lambda r: [*r[:30], *everywhere("items", "2")(r[30:])]), {SCHEMA}
    yield "json with booleans for numbers", jsonl(everywhere("items", True)), {SCHEMA}
    yield "json with numbers for text", jsonl(everywhere("order_id", 7)), {SCHEMA}
    yield "json with fractions for integers", jsonl(everywhere("items", 2.5)), {SCHEMA}
    yield "json with integers beyond 64 bits", jsonl(everywhere("items", 2**70)), {SCHEMA}
    yield (
        "json with numbers beyond the largest",
        jsonl(lambda r: jsonl_of(r).replace(b'"amount": ', b'"amount": 1e999')),
        {UNREADABLE},
    )
    yield "json with an object for a number", jsonl(everywhere("amount", {"value": 1})), {SCHEMA}
    yield "json with a list for a text", jsonl(everywhere("note", ["gift"])), {SCHEMA}
    yield "json with a key more", jsonl(everywhere("__proto__", 1)), {SCHEMA}
    yield "json without a key", jsonl(lambda r: [{k: v for k, v in row.items() if k != "items"} for row in r]), {SCHEMA}


def bad_arrow() -> Iterator[tuple[str, Write, set[str]]]:
    """Arrow files that must not be published."""
    yield "arrow offsets beyond the buffer", broken_arrow(offsets(lambda o: [*o[:-1], 2**30])), {UNREADABLE}
    yield (
        "arrow offsets far beyond the buffer",
        broken_arrow(offsets(lambda o: [o[0], *[2**31 - 1] * 16])),
        {UNREADABLE},
    )
    yield "negative arrow offsets", broken_arrow(offsets(lambda o: [0, -5, *o[2:]])), {UNREADABLE}
    yield "arrow offsets that go back", broken_arrow(offsets(lambda o: [o[0], o[5], *o[2:]])), {UNREADABLE}
    yield "arrow text that is no utf-8", broken_arrow(lambda c: swap(c, b"gift", b"g\xfft\xfe")), {UNREADABLE}
    codes = struct.pack("<16i", *[2] * 16)
    yield (
        "arrow codes beyond the dictionary",
        with_dictionary(lambda c: swap(c, codes, struct.pack("<16i", *[2**30] * 16))),
        {UNREADABLE},
    )
    yield (
        "negative arrow codes",
        with_dictionary(lambda c: swap(c, codes, struct.pack("<16i", *[-7] * 16))),
        {UNREADABLE},
    )
    yield "an arrow stream", file("day.arrow", lambda f: ipc_of(arrow_of(f), stream=True)), {UNREADABLE}
    yield "feather of version 1", broken_arrow(lambda c: b"FEA1" + c[4:]), {UNREADABLE}
    for part in (0.0, 0.1, 0.5, 0.9, 0.999):
        yield f"arrow cut at {part}", broken_arrow(lambda c, part=part: c[: int(len(c) * part)]), {UNREADABLE}
    yield "an arrow footer of zeros", broken_arrow(lambda c: c[:-410] + bytes(400) + c[-10:]), {UNREADABLE}
    yield (
        "an arrow footer that is too long",
        broken_arrow(lambda c: c[:-10] + b"\xff\xff\xff\x7f" + c[-6:]),
        {UNREADABLE},
    )
    yield "compressed arrow buffers of noise", broken_arrow(noise, compression="zstd"), {UNREADABLE}
    yield "arrow buffers that claim to be huge", broken_arrow(huge_buffers, compression="lz4"), {UNREADABLE}
    for kind, values in (nested() | unions()).items():
        yield (
            f"arrow with a {kind} column",
            file("day.arrow", lambda f, v=values: ipc_of(column("extra", v)(arrow_of(f)))),
            {SCHEMA, UNREADABLE},
        )


def bad_places() -> Iterator[tuple[str, Write, set[str]]]:
    """What is no file, or not where it says."""
    yield "a FIFO", fifo, {REFUSED}
    yield "a link to a FIFO", link(lambda d, f: fifo(d, f)), {REFUSED}
    yield "a link to /dev/zero", link(lambda d, f: Path("/dev/zero")), {REFUSED}
    yield "/dev/zero", lambda d, f: "/dev/zero", {REFUSED}
    yield "/dev/null", lambda d, f: "/dev/null", {REFUSED}
    yield "a socket", listening, {REFUSED}
    yield "a link to a good file elsewhere", link(outside), {REFUSED}
    yield "a link to /etc/passwd", link(lambda d, f: Path("/etc/passwd")), {REFUSED}
    yield "a link to nothing", link(lambda d, f: d / "nowhere"), {REFUSED}
    yield "a link to itself", link(lambda d, f: d / "link.parquet"), {REFUSED}
    yield "nothing at all", lambda d, f: d / "nothing.parquet", {REFUSED}
    yield "an empty name", lambda d, f: "", {REFUSED}
    yield "a name with a NUL", lambda d, f: d / "day\0.parquet", {REFUSED}
    yield "a name of a thousand letters", lambda d, f: d / ("x" * 1000 + ".parquet"), {REFUSED}
    yield "a path that climbs", lambda d, f: f"{d}/../../../../../nowhere/day.parquet", {REFUSED}
    yield "a file of a terabyte", sparse, {REFUSED}
    yield "an empty directory", lambda d, f: mkdir(d / "day"), {REFUSED}
    yield (
        "a directory with a link out of it",
        spoiling(lambda p: (p / "x.parquet").symlink_to("/etc/passwd")),
        {REFUSED},
    )
    yield "a directory with a FIFO", spoiling(lambda p: os.mkfifo(p / "x.parquet")), {REFUSED}
    yield "a directory with a device", spoiling(lambda p: (p / "x.parquet").symlink_to("/dev/zero")), {REFUSED}
    yield "a directory with a directory", spoiling(lambda p: mkdir(p / "x.parquet")), {REFUSED}
    yield "a directory of two formats", spoiling(lambda p: (p / "x.csv").write_bytes(b"a\n1\n")), {REFUSED}
    yield "a directory with a note", spoiling(lambda p: (p / "README").write_bytes(b"hello")), {REFUSED}
    yield "a directory with a part of nothing", spoiling(lambda p: (p / "x.parquet").write_bytes(b"")), {UNREADABLE}
    yield (
        "a directory with a broken part",
        spoiling(lambda p: (p / "x.parquet").write_bytes(b"PAR1" * 99)),
        {UNREADABLE},
    )
    other = pa.table({"order_id": ["x"], "strange": [1]})
    yield "parts with other columns", spoiling(lambda p: (p / "x.parquet").write_bytes(parquet_of(other))), {UNREADABLE}
    yield (
        "parts with other types",
        folder_of(
            {
                "part-0.parquet": lambda f: parquet_of(arrow_of(f)),
                "part-1.parquet": lambda f: parquet_of(cast("items", pa.string())(arrow_of(f))),
            }
        ),
        {UNREADABLE},
    )
    for text in (
        "zip://x.parquet::file://y.zip",
        "nosuch://bucket/x.parquet",
        "simplecache::s3://a/b",
        "://x",
        "data://x",
    ):
        yield f"the URL {text}", lambda d, f, text=text: text, {REFUSED}
    yield "a URL of nothing", lambda d, f: "memory://nowhere/x.parquet", {REFUSED}


def good() -> Iterator[tuple[str, Write]]:
    """What is odd and must be published."""
    for codec in ("snappy", "zstd", "brotli", "gzip", "lz4"):
        yield f"parquet in {codec}", parquet(compression=codec)
    yield "parquet in row groups of one", parquet(row_group_size=1)
    yield "parquet with large text", parquet(cast("note", pa.large_string()))
    yield "parquet with a dictionary", parquet(lambda t: cast("country", pa.dictionary(pa.int8(), pa.string()))(t))
    yield "parquet with narrow integers", parquet(cast("items", pa.int32()))
    yield "parquet with unsigned integers", parquet(cast("items", pa.uint8()))
    yield "parquet in nanoseconds", parquet(cast("placed", pa.timestamp("ns", "UTC")))
    yield "parquet in another zone", parquet(cast("placed", pa.timestamp("us", "Europe/Paris")))
    yield (
        "parquet in delta encodings",
        parquet(
            use_dictionary=False,
            column_encoding={
                "order_id": "DELTA_BYTE_ARRAY",
                "items": "DELTA_BINARY_PACKED",
                "note": "DELTA_LENGTH_BYTE_ARRAY",
            },
        ),
    )
    yield "parquet with split floats", parquet(use_dictionary=False, column_encoding={"amount": "BYTE_STREAM_SPLIT"})
    yield "parquet with pages of version 2", parquet(data_page_version="2.0")
    yield "parquet without statistics", parquet(write_statistics=False)
    yield "parquet without an Arrow schema", parquet(store_schema=False)
    yield "parquet of one row", parquet(lambda t: t.slice(0, 1))
    yield "parquet with other metadata", parquet(lambda t: t.replace_schema_metadata({"x": "\x1b[2J" * 1000}))
    yield "columns in another order", parquet(lambda t: t.select(list(reversed(COLUMNS))))
    yield "an empty column", parquet(column("note", lambda n: pa.nulls(n)))
    yield "denormals", parquet(column("score", lambda n: pa.array([5e-324] * n)))
    yield "negative zero", parquet(column("score", lambda n: pa.array([-0.0] * n)))
    yield "text in every script", parquet(column("note", lambda n: pa.array(["żółć 礼物 🎁 \u202e"] * n)))
    yield "csv with a byte order mark", csv(lambda c: b"\xef\xbb\xbf" + c)
    yield "csv with Windows line ends", csv(lambda c: c.replace(b"\n", b"\r\n"))
    yield "csv with old Macintosh line ends", csv(lambda c: c.replace(b"\n", b"\r"))
    yield "csv without a last line end", csv(lambda c: c[:-1])
    yield "csv with blank lines", csv(lambda c: c.replace(b"\n", b"\n\n"))
    yield "csv with line ends in cells", csv(lambda c: c.replace(b"gift", b'"a\nb, ""c"""'))
    yield "csv with everything quoted", file("day.csv", lambda f: csv_of(f.fillna("none"), quoting=1))
    yield "csv named in capitals", csv(name="DAY.CSV")
    yield "csv with signs and exponents", csv(lambda c: c.replace(b",1,", b",+1,"))
    yield "csv with formulas as text", csv(lambda c: c.replace(b"gift", b"=1+1"))
    yield (
        "gzip of two members",
        file("day.csv.gz", lambda f: gzip.compress(csv_of(f)[:300]) + gzip.compress(csv_of(f)[300:])),
    )
    yield "gzip with zeros after it", file("day.csv.gz", lambda f: gzip.compress(csv_of(f)) + bytes(512))
    for suffix in (".jsonl", ".ndjson", ".json"):
        yield f"json lines named {suffix}", jsonl(lambda r: r, f"day{suffix}")
    yield "json lines in gzip", jsonl(lambda r: gzip.compress(jsonl_of(r)), "day.jsonl.gz")
    yield "json lines with keys in any order", jsonl(lambda r: [dict(reversed(row.items())) for row in r])
    yield (
        "json lines with missing keys",
        jsonl(lambda r: [{k: v for k, v in row.items() if v is not None} for row in r]),
    )
    yield "json lines with integers among fractions", jsonl(lambda r: [*everywhere("amount", 7)(r[:9]), *r[9:]])
    yield "json lines with a byte order mark", jsonl(lambda r: b"\xef\xbb\xbf" + jsonl_of(r))
    yield "an arrow file", broken_arrow(lambda c: c)
    for codec in ("zstd", "lz4"):
        yield f"an arrow file in {codec}", broken_arrow(lambda c: c, compression=codec)
    yield "feather of version 2", file("day.feather", lambda f: ipc_of(arrow_of(f)))
    yield "an arrow dictionary", with_dictionary(lambda c: c)
    yield "an arrow dictionary that grows", file("day.arrow", growing_dictionary)
    yield "arrow text as views", file("day.arrow", lambda f: ipc_of(cast("note", pa.string_view())(arrow_of(f))))
    yield "a directory of parquet", folder_of(_PARTS)
    yield "a directory of csv", folder_of({"a.csv": csv_of, "b.csv": csv_of})
    yield "a directory of json lines", folder_of({n: lambda f: jsonl_of(lines_of(f)) for n in ("a.jsonl", "b.jsonl")})
    yield "a directory with Spark's own files", spoiling(spark_files)
    yield (
        "parts with other integers",
        folder_of(
            {
                "a.parquet": lambda f: parquet_of(arrow_of(f)),
                "b.parquet": lambda f: parquet_of(cast("items", pa.int32())(arrow_of(f))),
            }
        ),
    )
    yield "a name with an escape sequence", file("d\x1b[31may\n.parquet", lambda f: parquet_of(arrow_of(f)))
    yield "a name that is no utf-8", file(os.fsdecode(b"d\xff.parquet"), lambda f: parquet_of(arrow_of(f)))
    yield "a name of 255 bytes", file("x" * 247 + ".parquet", lambda f: parquet_of(arrow_of(f)))
    yield "a link to a file beside it", link(beside)
    yield "a file:// URL", url("file")
    yield "a memory:// URL", url("memory")


def flips() -> Iterator[tuple[str, Write]]:
    """One bit another: unreadable, or judged like any data; published only if the rows are the same."""
    for seed in range(24):
        yield f"parquet with bit {seed} flipped", broken_parquet(lambda c, s=seed: flipped(c, s), compression="snappy")
    for seed in range(8):
        yield (
            f"gzip with bit {seed} flipped",
            file("day.csv.gz", lambda f, s=seed: flipped(gzip.compress(csv_of(f), mtime=0), s)),
        )


def cases() -> list[Case]:
    """All of them."""
    judged = frozenset({PUBLISHED, UNREADABLE, SCHEMA, "impossible_values", "missing_values", "category_change"})
    return [
        *(Case(name, write, frozenset(expected)) for name, write, expected in bad()),
        *(Case(name, write, frozenset({PUBLISHED})) for name, write in good()),
        *(Case(name, write, judged) for name, write in flips()),
    ]


# contents that take more than a line


def parquet_bad_text(folder: Path, frame: pd.DataFrame) -> Path:
    """Parquet whose footer says that bytes are text, and they are no UTF-8, although the checksums are right."""
    table = column("note", lambda n: pa.array([b"\xff\xfe"] * n, pa.binary()))(arrow_of(frame))
    content = parquet_of(table, store_schema=False)
    (length,) = struct.unpack("<I", content[-8:-4])
    at = content.index(b"note", len(content) - 8 - length) + 4
    path = folder / "day.parquet"
    path.write_bytes(content[:at] + b"\x25\x00" + content[at:-8] + struct.pack("<I", length + 2) + b"PAR1")
    return path


def noise(content: bytes) -> bytes:
    """The middle replaced by noise."""
    third = len(content) // 4
    return content[:third] + random.Random(1).randbytes(third) + content[2 * third :]  # noqa: S311 - no secret


def bomb(table: Any) -> Any:
    """One text of four megabytes, seventy times over; kilobytes in the file."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 70, pa.int32()), pa.array(["0" * 4_000_000]))
    return pa.table({"note": text})


def constant(rows: int) -> Any:
    """One value so many times."""
    return pa.table({"items": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([1]))})


def wide(columns: int) -> Any:
    """A table of so many columns."""
    return pa.table({f"c{number}": [1] for number in range(columns)})


def nested() -> dict[str, Callable[[int], Any]]:
    """Columns that hold more than one value a cell."""
    return {
        "list": lambda n: pa.array([[1.0, 2.0]] * n),
        "struct": lambda n: pa.array([{"a": 1}] * n),
        "map": lambda n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    }


def unions() -> dict[str, Callable[[int], Any]]:
    """Columns that parquet has no form for."""
    return {
        "union": lambda n: pa.UnionArray.from_sparse(pa.array([0] * n, pa.int8()), [pa.array([1] * n)]),
        "run-end encoded": lambda n: pa.RunEndEncodedArray.from_arrays(pa.array([n], pa.int32()), pa.array([1])),
        "interval": lambda n: pa.array([(1, 2, 3)] * n, pa.month_day_nano_interval()),
    }


def far_away(rows: int) -> Any:
    """Times that no calendar of Python holds."""
    return pa.array([2**62] * rows, pa.timestamp("us", "UTC"))


def huge_buffers(content: bytes) -> bytes:
    """Compressed buffers whose announced length is absurd."""
    magic = b"\x04\x22\x4d\x18"  # of an LZ4 frame; before it stands the length
    assert magic in content
    at, altered = 0, bytearray(content)
    while (at := content.find(magic, at + 1)) > 0:
        altered[at - 8 : at] = struct.pack("<q", 2**40)
    return bytes(altered)


def late_rows(count: int) -> bytes:
    """So many good rows of CSV."""
    return b"".join(b"late-%d,2024-01-01T00:00:00Z,DE,1.0,1,,0.5\n" % number for number in range(count))


def growing_dictionary(frame: pd.DataFrame) -> bytes:
    """An Arrow file whose dictionary has a word more in each batch."""
    table, sink = arrow_of(frame), io.BytesIO()
    words = ["DE", "FR", "IT"]
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array([count - 1] * size, pa.int32()), pa.array(words[:count]))
        for count, size in ((1, 10), (2, 10), (3, ROWS - 20))
    ]
    schema = table.schema.set(2, pa.field("country", chunks[0].type))
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_file(sink, schema, options=options) as writer:
        start = 0
        for chunk in chunks:
            part = table.slice(start, len(chunk)).combine_chunks()
            columns = [chunk if name == "country" else part.column(name).chunk(0) for name in table.column_names]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            start += len(chunk)
    return sink.getvalue()


def spark_files(path: Path) -> None:
    """What Spark writes beside its parts."""
    (path / "_SUCCESS").touch()
    (path / ".part-0.parquet.crc").write_bytes(b"crc")
    mkdir(path / "_temporary")


def mkdir(path: Path) -> Path:
    """A new folder."""
    path.mkdir()
    return path
