"""Contracts from files: which one is meant, how it runs, and what it leaves behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tidegate as tg

HEAD = """
import pandera.pandas as pa
import tidegate as tg

def make(name="orders", **more):
    schema = pa.DataFrameSchema({"order_id": pa.Column(str)})
    return tg.Contract(name=name, version="1.0.0", owner="shop", schema=schema, **more)
"""

WriteFile = Callable[..., Path]


@pytest.fixture(autouse=True)
def _modules_are_as_before() -> Iterator[None]:
    """What one test imports is unknown to the next."""
    modules, path = dict(sys.modules), list(sys.path)
    yield
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]
    sys.path[:] = path


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a contract file with a head that can make contracts."""

    def write_file(body: str, name: str = "orders.py", head: str = HEAD) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + body, encoding="utf-8")
        return path

    return write_file


# which one is meant


def test_the_contract_named_contract_is_meant_where_no_name_is_given(write: WriteFile) -> None:
    path = write("other = make('other')\ncontract = make('meant')\n")
    assert tg.load_contract(path).name == "meant"
    assert tg.load_contract(str(path)).path == f"{path}:contract"


def test_the_only_contract_is_meant_whatever_it_is_called(write: WriteFile) -> None:
    path = write("things = make('things')\n")
    loaded = tg.load_contract(path)
    assert (loaded.name, loaded.path) == ("things", f"{path}:things")


def test_a_name_after_the_path_chooses_among_several(write: WriteFile) -> None:
    path = write("one = make('one')\ntwo = make('two')\ncontract = make('three')\n")
    assert tg.load_contract(f"{path}:two").name == "two"
    assert tg.load_contract(f"{path}:one").path == f"{path}:one"


def test_several_contracts_without_a_name_are_a_question(write: WriteFile) -> None:
    path = write("one = make('one')\ntwo = make('two')\n")
    with pytest.raises(tg.ContractError, match=r"which contract of orders\.py is meant") as caught:
        tg.load_contract(path)
    assert caught.value.found == "one, two"
    assert "path.py:name" in str(caught.value.allowed)


def test_a_file_without_a_contract_is_refused(write: WriteFile) -> None:
    with pytest.raises(tg.ContractError, match="makes no contract"):
        tg.load_contract(write("x = 1\n"))


@pytest.mark.parametrize("name", ["three", "make", "Contract"])
def test_a_name_that_is_no_contract_is_refused_with_those_there_are(write: WriteFile, name: str) -> None:
    path = write("one = make('one')\ntwo = make('two')\n")
    with pytest.raises(tg.ContractError, match="has no contract") as caught:
        tg.load_contract(f"{path}:{name}")
    assert caught.value.found == "one, two"


def test_a_relative_path_is_remembered_as_an_absolute_one(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("contract = make()\n")
    monkeypatch.chdir(path.parent)
    assert tg.load_contract("orders.py").path == f"{path}:contract"


def test_a_contract_that_is_there_already_is_itself(contract: tg.Contract) -> None:
    assert tg.load_contract(contract) is contract


# what is no contract file


@pytest.mark.parametrize("where", ["nowhere.py", "nowhere.py:contract", "folder.py", "orders.yaml", "orders", ""])
def test_what_is_no_python_file_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "orders.yaml").write_text("name: orders\n")
    (tmp_path / "orders").write_text(HEAD + "contract = make()\n")
    with pytest.raises(tg.ContractError, match="no contract file") as caught:
        tg.load_contract(tmp_path / where if where else "")
    assert caught.value.allowed == "path.py or path.py:name"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("raise ValueError('no such region')\n", "ValueError: no such region", id="exception"),
        pytest.param("import no_such_module_anywhere\n", "ModuleNotFoundError", id="import"),
        pytest.param("contract = = 1\n", "SyntaxError", id="syntax"),
        pytest.param("assert False, 'not yet'\n", "AssertionError: not yet", id="assertion"),
        pytest.param("raise SystemExit(0)\n", "SystemExit: 0", id="exit"),
    ],
)
def test_a_file_that_raises_is_refused_with_its_reason(write: WriteFile, body: str, reason: str) -> None:
    with pytest.raises(tg.ContractError, match=r"orders\.py raised") as caught:
        tg.load_contract(write(body))
    assert reason in str(caught.value.found)
    assert caught.value.exit_code == 2


def test_a_bad_contract_in_the_file_is_told_in_its_own_words(write: WriteFile) -> None:
    with pytest.raises(tg.ContractError, match="tolerance") as caught:
        tg.load_contract(write("contract = make(tolerance=2)\n"))
    assert caught.value.found == "2"


# how it runs


def test_dataclasses_and_postponed_annotations_work_inside(write: WriteFile) -> None:
    head = """
from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pandera.pandas as pa
from pandera.typing import Series

import tidegate as tg


@dataclass
class Owner:
    name: str
    teams: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "team"


class Orders(pa.DataFrameModel):
    order_id: Series[str] = pa.Field(unique=True)
    amount: float = pa.Field(ge=0)


contract = tg.Contract(name="orders", version="1.0.0", owner=Owner("shop").name, schema=Orders)
"""
    loaded = tg.load_contract(write("", head=head))
    assert loaded.owner == "shop"
    assert list(loaded.columns) == ["order_id", "amount"]
    assert loaded.columns["amount"].clauses == ("greater_than_or_equal_to(0)",)


def test_a_module_beside_the_contract_can_be_imported_while_it_runs(write: WriteFile) -> None:
    write("OWNER = 'warehouse'\n", "sibling_of_orders.py", head="")
    path = write("import sibling_of_orders\ncontract = make(contact=sibling_of_orders.OWNER)\n")
    assert tg.load_contract(path).contact == "warehouse"
    assert str(path.parent) not in sys.path


def test_modules_of_one_name_beside_two_contracts_are_not_mistaken_for_each_other(write: WriteFile) -> None:
    for place in ("north", "south"):
        write(f"OWNER = '{place}'\n", f"{place}/common_of_orders.py", head="")
        write("import common_of_orders\ncontract = make(contact=common_of_orders.OWNER)\n", f"{place}/orders.py")
    folder = write("contract = make()\n").parent
    assert [tg.load_contract(folder / place / "orders.py").contact for place in ("north", "south")] == [
        "north",
        "south",
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("contract = make()\n", id="a good file"),
        pytest.param("raise ValueError\n", id="a file that raises"),
        pytest.param("contract = make(tolerance=2)\n", id="a bad contract"),
        pytest.param("import sys\nsys.path.pop(0)\ncontract = make()\n", id="a file that takes its folder away"),
        pytest.param("import sys\nsys.path.insert(0, '/nowhere')\ncontract = make()\n", id="a file that adds a folder"),
    ],
)
def test_the_import_path_is_as_before_whatever_the_file_does(write: WriteFile, body: str) -> None:
    before = list(sys.path)
    path = write(body)
    try:
        tg.load_contract(path)
    except tg.ContractError:
        assert "tolerance" in body or "raise" in body
    assert sys.path == before


def test_the_file_runs_under_a_private_name(write: WriteFile) -> None:
    path = write("print_name = __name__\ncontract = make(contact=__name__)\n", "json.py")
    import json

    loaded = tg.load_contract(path)
    assert loaded.contact is not None
    assert loaded.contact.startswith("_tidegate_contract_")
    assert sys.modules["json"] is json
    assert "orders" not in sys.modules


def test_files_of_one_name_in_two_folders_are_two_modules(write: WriteFile) -> None:
    paths = [write(f"contract = make('{name}', contact=__name__)\n", f"{name}/orders.py") for name in ("one", "two")]
    first, second = (tg.load_contract(path) for path in paths)
    assert (first.name, second.name) == ("one", "two")
    assert first.contact != second.contact


def test_a_file_that_changed_is_read_again(write: WriteFile) -> None:
    path = write("contract = make('before')\n")
    before = tg.load_contract(path)
    path.write_text(HEAD + "contract = make('after_the_change')\n")
    assert (before.name, tg.load_contract(path).name) == ("before", "after_the_change")


def test_the_same_file_in_another_place_is_the_same_contract(write: WriteFile) -> None:
    body = "contract = tg.Contract(name='orders', version='1.0.0', owner='shop', schema=pa.DataFrameSchema({'a': pa.Column(int, pa.Check(lambda s: s > 0))}))\n"  # noqa: E501
    first, second = (tg.load_contract(write(body, f"{place}/orders.py")) for place in ("here", "there"))
    assert first.sha256 == second.sha256
    assert first.path != second.path
    changed = tg.load_contract(write(body.replace("s > 0", "s > 1"), "there/orders.py"))
    assert changed.sha256 != first.sha256
