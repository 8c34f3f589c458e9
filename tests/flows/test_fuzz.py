"""Bytes that nobody thought of are rows or unreadable; a contract file nobody thought of is a contract or refused."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandera.pandas as pr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_contract
from tests.flows import hostile
from tidegate_flows.intake import SUFFIXES, Limits, UnreadableError, decode, limited, stage

CONTRACT = make_contract(pr.DataFrameSchema({"items": pr.Column(int, required=False)}))
LIMITS = Limits(memory=1 << 30, cpu_seconds=5, wall_seconds=20, text_bytes=16 << 20, decoded_bytes=64 << 20)
ROUNDS = int(os.environ.get("TIDEGATE_FUZZ", "1"))  # how many times as long as usual
FRAME = hostile.orders(1, 12)
GOOD = {
    ".parquet": hostile.parquet_of(hostile.arrow_of(FRAME)),
    ".arrow": hostile.ipc_of(hostile.arrow_of(FRAME)),
    ".csv": hostile.csv_of(FRAME),
    ".csv.gz": gzip.compress(hostile.csv_of(FRAME), mtime=0),
    ".jsonl": hostile.jsonl_of(hostile.lines_of(FRAME)),
}
bounded = settings(
    max_examples=40 * ROUNDS, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def arrives(tmp_path: Path) -> Callable[[str, bytes], bool]:
    """Whether bytes of this suffix are readable; anything but a verdict is a failure."""
    count = iter(range(1_000_000))

    def run(suffix: str, content: bytes) -> bool:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        path = folder / f"x{suffix}"
        path.write_bytes(content)
        (folder / "store").mkdir()
        try:
            with limited(LIMITS):
                batch = decode(stage(path, folder / "store"), CONTRACT)
        except UnreadableError as error:
            said = str(error)
        else:
            said = None
        if said is not None:
            assert 0 < len(said.splitlines()[0]) == len(said) < 400
            return False
        batch.table.validate(full=True)
        assert batch.table.num_rows == batch.delivered.num_rows
        return True

    return run


@given(suffix=st.sampled_from(SUFFIXES), content=st.binary(max_size=300), magic=st.booleans())
@bounded
def test_random_bytes_are_rows_or_unreadable(
    arrives: Callable[[str, bytes], bool], suffix: str, content: bytes, magic: bool
) -> None:
    begin = {".parquet": b"PAR1", ".arrow": b"ARROW1\0\0", ".csv.gz": b"\x1f\x8b\x08"}.get(suffix, b"")
    arrives(suffix, begin + content if magic else content)


@given(
    suffix=st.sampled_from(sorted(GOOD)),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4),
)
@bounded
def test_good_files_with_other_bytes_in_them_are_rows_or_unreadable(
    arrives: Callable[[str, bytes], bool], suffix: str, cuts: list[tuple[float, int, bytes]]
) -> None:
    content = GOOD[suffix]
    for place, length, new in cuts:
        at = int(place * len(content))
        content = content[:at] + new + content[at + length :]
    arrives(suffix, content)


@pytest.mark.parametrize("suffix", sorted(GOOD))
def test_good_files_with_one_bit_flipped_are_rows_or_unreadable(
    arrives: Callable[[str, bytes], bool], suffix: str
) -> None:
    assert arrives(suffix, GOOD[suffix])
    rng = random.Random(suffix)  # noqa: S311 - which bit is no secret
    for _ in range(25 * ROUNDS):
        arrives(suffix, hostile.flipped(GOOD[suffix], rng.randrange(2**32)))


_LINES = st.sampled_from(
    [
        "import tidegate as tg",
        "import pandera.pandas as pa",
        "schema = pa.DataFrameSchema({'a': pa.Column(int)})",
        "contract = tg.Contract(name='a', version='1.0.0', owner='o', schema=schema)",
        "contract = tg.Contract(name='A b', version='one', owner='', schema=schema, tolerance=float('nan'))",
        "contract = 7",
        "raise SystemExit(3)",
        "raise KeyError('x')",
        "def f(: pass",
        "1 / 0",
        "\x00",
        "class contract: pass",
        "from nowhere import everything",
        "other = contract",
        "del contract",
        "    indented = 1",
    ]
)


@given(
    lines=st.lists(_LINES | st.text(max_size=30), max_size=6), name=st.sampled_from(["", ":contract", ":other", ":"])
)
@settings(bounded, max_examples=60 * ROUNDS)
def test_whatever_a_contracts_file_says_only_a_contract_error_comes_out(
    tmp_path: Path, lines: list[str], name: str
) -> None:
    path = tmp_path / "c.py"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    with suppress(tg.ContractError):
        assert isinstance(tg.load_contract(f"{path}{name}"), tg.Contract)
