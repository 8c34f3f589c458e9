"""Publishing to an object store: one PUT under the final key after the commit, repeated until it is done."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows import readmission
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run
from tidegate_flows.doctor import bucket as doctor
from tidegate_flows.place import at
from tidegate_flows.recover import recover
from tidegate_flows.settings import resolve
from tidegate_flows.stores import bucket as buckets
from tidegate_flows.stores.bucket import MARK, OWN_NAME, Bucket
from tidegate_flows.stores.local import sha256_of

Make = Callable[..., pd.DataFrame]


class Crash(BaseException):
    """The worker dies here."""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.more)])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place in a bucket, named by the environment as a user would."""
    name = uuid4().hex
    if request.param == "s3":
        for key, value in {
            "AWS_ENDPOINT_URL": request.getfixturevalue("s3"),
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(key, value)
        fsspec.filesystem("s3").mkdir(name)
    place = f"{request.param}://{name}/lake"
    monkeypatch.setenv("TIDEGATE_PUBLISH", place)
    return place


def lying_in(url: str) -> dict[str, bytes]:
    """What readers of the bucket see, but for the object that says whose it is."""
    system, place = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    found = system.find(place) if system.exists(place) else []
    return {name.partition("lake/")[2]: system.cat_file(name) for name in found if not name.endswith(f"/{MARK}")}


def in_store(store: Path) -> dict[str, bytes]:
    return {f"orders/published/{path.name}": path.read_bytes() for path in (store / "orders/published").iterdir()}


def test_what_is_published_lies_in_the_bucket_as_it_lies_in_the_store(
    url: str, store: Path, contract: tg.Contract, make_orders: Make, tmp_path: Path
) -> None:
    batch = tmp_path / "good.parquet"
    make_orders(1).to_parquet(batch, index=False)
    tg.gate(batch, contract, store=store).require_published()
    some = make_orders(2)
    some.loc[:1, "amount"] = -1.0
    tg.gate(some, contract, store=store, batch_id="some").require_published()
    assert lying_in(url) == in_store(store)
    assert lying_in(url)["orders/published/good.parquet"] == batch.read_bytes()
    with at(store, must_exist=True) as place:
        readmission.release(place, "orders", "some", by="ann", reason="seen", contract=contract)
        assert place.bucket is not None
        assert place.bucket.keys("orders") == sorted(lying_in(url))
    assert set(lying_in(url)) == {f"orders/published/{name}.parquet" for name in ("good", "some", "some.r1")}
    assert lying_in(url) == in_store(store)


def test_what_is_refused_or_held_never_reaches_the_bucket(
    url: str, store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    assert tg.gate(make_orders(1).assign(amount=-1.0), contract, store=store).decision is tg.Decision.QUARANTINE
    assert tg.gate(make_orders(2), contract, store=store).decision is tg.Decision.HOLD
    assert lying_in(url) == {}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_around_the_put_leaves_it_to_the_next(
    url: str, store: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    real = Bucket.put

    def dying(*arguments: Any) -> None:
        if moment == "after":
            real(*arguments)
        raise Crash

    with monkeypatch.context() as patch, suppress(Crash):
        patch.setattr(Bucket, "put", dying)
        tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert len(lying_in(url)) == (moment == "after")
    with at(store) as place:
        assert recover(place) == 1
        assert recover(place) == 0
    assert lying_in(url) == in_store(store)
    assert len(lying_in(url)) == 1


def test_a_bucket_that_is_away_delays_what_was_decided_and_loses_nothing(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    url, batch = f"memory://{uuid4().hex}/lake", tmp_path / "a.parquet"
    monkeypatch.setenv("TIDEGATE_PUBLISH", url)
    make_orders(1).to_parquet(batch, index=False)
    words = ["gate", str(contract_file()), str(batch), "--store", str(store)]
    with monkeypatch.context() as patch:
        patch.setattr("fsspec.implementations.memory.MemoryFileSystem.put_file", _refused)
        assert [run(app, words), run(app, words)] == [3, 3]
    said = capfd.readouterr().err
    assert "lake cannot be written\nfound:   ConnectionError" in said
    assert "password" not in said
    assert lying_in(url) == {}
    assert run(app, words) == 0
    assert lying_in(url) == in_store(store) == {"orders/published/a.parquet": batch.read_bytes()}


def _refused(*_: Any, **__: Any) -> None:
    raise ConnectionError("secret://user:password@host")


def test_an_object_that_somebody_else_put_there_is_never_written_over(
    url: str, store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    system, place = fsspec.core.url_to_fs(f"{url}/orders/published/a.parquet")
    system.pipe_file(place, b"not ours")
    with pytest.raises(tg.StoreError, match="not the file that was checked"):
        tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert lying_in(url) == {"orders/published/a.parquet": b"not ours"}
    system.rm_file(place)
    with at(store) as opened:
        assert recover(opened) == 1
    assert lying_in(url) == in_store(store)


def test_a_store_remembers_its_bucket_and_takes_no_other(
    store: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"memory://{uuid4().hex}/lake"
    monkeypatch.setenv("TIDEGATE_PUBLISH", url + "/")
    tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    monkeypatch.delenv("TIDEGATE_PUBLISH")
    tg.gate(make_orders(2), contract, store=store, batch_id="b").require_published()
    assert set(lying_in(url)) == {"orders/published/a.parquet", "orders/published/b.parquet"}
    monkeypatch.setenv("TIDEGATE_PUBLISH", "s3://key:word@elsewhere/lake")
    with pytest.raises(tg.UsageError, match="publishes to another place") as told:
        tg.gate(make_orders(3), contract, store=store, batch_id="c")
    assert "word" not in str(told.value)


@pytest.mark.parametrize("url", ["/mnt/folder", "sftp://host/path", "https://host/path"])
def test_only_an_object_store_is_published_to(
    store: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TIDEGATE_PUBLISH", url)
    with pytest.raises(tg.UsageError, match="the place to publish to"):
        tg.gate(make_orders(1), contract, store=store)


DIES = """
import resource, signal, sys
from pathlib import Path
from tidegate_flows.stores.bucket import Bucket
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
Bucket.of(Path(sys.argv[1]), sys.argv[2])
"""
"""Killed by the kernel at the first byte that it writes."""


def test_a_worker_that_dies_while_the_bucket_is_written_down_leaves_a_store_that_opens(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.mkdir()
    url = f"memory://{uuid4().hex}/lake"
    died = subprocess.run([sys.executable, "-c", DIES, str(store), url], check=False, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGXFSZ, died.stderr
    with at(store) as place:
        assert place.bucket is None
    monkeypatch.setenv("TIDEGATE_PUBLISH", url)
    with at(store) as place:
        assert place.bucket == Bucket(url, store)


def test_a_bucket_s_name_that_cannot_be_read_is_said_with_what_to_do(store: Path) -> None:
    store.mkdir()
    (store / ".publish").touch()
    with (
        pytest.raises(tg.StoreError, match=r"cannot be read.*hint: .*remove it and name that place once more"),
        at(store),
    ):
        pass


def test_a_place_that_another_store_publishes_to_is_refused_and_what_lies_there_stays(
    url: str, store: Path, tmp_path: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, signed = tmp_path / "other", {"supersede": True, "by": "ann", "reason": "late rows"}
    tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    before = lying_in(url)
    said = rf"another store publishes to this place; found: {url}/{MARK} of the store [0-9a-f]{{8}}….*hint: "
    for _ in range(2):
        with pytest.raises(tg.UsageError, match=said):
            tg.gate(make_orders(2), contract, store=other, batch_id="a")
    assert lying_in(url) == before
    assert not (other / ".publish").exists(), "it may still be told of a place of its own"
    monkeypatch.setenv("TIDEGATE_PUBLISH", f"{url}/of-other")
    tg.gate(make_orders(2), contract, store=other, batch_id="a").require_published()
    assert lying_in(f"{url}/of-other").keys() == {"of-other/orders/published/a.parquet"}
    monkeypatch.delenv("TIDEGATE_PUBLISH")
    tg.gate(make_orders(3), contract, store=store, batch_id="a", **signed).require_published()
    assert set(in_store(store)) == {"orders/published/a.v2.parquet"}
    assert set(lying_in(url)) == {*in_store(store), "of-other/orders/published/a.parquet"}


@pytest.mark.parametrize("only_absent", [True, False])
def test_of_two_stores_that_are_the_first_at_once_one_has_the_place(
    only_absent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system puts an object only if there is none; and where it writes over what is there."""
    url, file = f"memory://{uuid4().hex}/lake", tmp_path / "a.parquet"
    file.write_bytes(b"a")
    for name in ("slow", "fast"):
        (tmp_path / name).mkdir()
    slow, fast, real = Bucket(url, tmp_path / "slow"), Bucket(url, tmp_path / "fast"), buckets._put_first

    def overtaken(system: Any, place: str, content: bytes) -> None:
        monkeypatch.setattr(buckets, "_put_first", real)
        fast.make_own()
        real(system, place, content)

    monkeypatch.setattr(buckets, "_put_first", overtaken)
    if not only_absent:
        monkeypatch.setattr(
            "fsspec.implementations.memory.MemoryFileSystem.pipe_file",
            lambda self, path, value, **_: self.open(path, "wb", data=value),
        )
    if only_absent:
        with pytest.raises(tg.UsageError, match="another store publishes"):
            slow.make_own()
    else:
        slow.make_own()
    has, has_not = (fast, slow) if only_absent else (slow, fast)
    has.put(file, "orders/published/a.parquet", sha256_of(file))
    with pytest.raises(tg.UsageError, match="another store publishes"):
        has_not.remove("orders/published/a.parquet")
    with pytest.raises(tg.UsageError, match="another store publishes"):
        has_not.put(file, "orders/published/b.parquet", sha256_of(file))
    assert lying_in(url) == {"orders/published/a.parquet": b"a"}


def test_a_file_system_that_cannot_put_only_what_is_absent_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(self: Any, path: str, value: bytes) -> None:
        self.open(path, "wb", data=value)

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", plain)
    url = f"memory://{uuid4().hex}/lake"
    for name, refused in (("one", False), ("other", True), ("one", False)):
        (tmp_path / name).mkdir(exist_ok=True)
        with pytest.raises(tg.UsageError) if refused else nullcontext():
            Bucket(url, tmp_path / name).make_own()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 1}', b'{"format": 2, "store": "x"}'])
def test_an_id_in_the_bucket_or_the_store_that_cannot_be_read_is_nobody_s(store: Path, content: bytes) -> None:
    url = f"memory://{uuid4().hex}/lake"
    fsspec.filesystem("memory").pipe_file(f"{url}/{MARK}", content)
    store.mkdir()
    with pytest.raises(tg.UsageError, match=f"{MARK} that cannot be read"):
        Bucket(url, store).make_own()
    (store / OWN_NAME).write_bytes(content)
    with pytest.raises(tg.StoreError, match=f"{OWN_NAME} cannot be read.*copy that"):
        Bucket(f"memory://{uuid4().hex}/lake", store).make_own()


def test_the_doctor_says_whose_the_bucket_is_and_writes_nothing(
    store: Path, tmp_path: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_PUBLISH", url := f"memory://{uuid4().hex}/lake")
    (new,) = doctor.examine(resolve(store=store))
    assert (new.state, fsspec.filesystem("memory").exists(f"{url}/{MARK}")) == ("ok", False)
    tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    (own,) = doctor.examine(resolve(store=store))
    (tmp_path / "other").mkdir()
    (other,) = doctor.examine(resolve(store=tmp_path / "other"))
    assert (own.state, other.state, "another store publishes" in other.found) == ("ok", "no", True)
    assert list((tmp_path / "other").iterdir()) == []
