"""``export`` and ``import`` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tidegate as tg
from tests.flows.conftest import Said

Cli = Callable[..., Said]
DOCUMENT = """
apiVersion: v3.0.2
kind: DataContract
id: 53581432
name: Payments
version: 2.1.0
status: draft
servers: [{server: prod, type: postgres, host: localhost}]
schema:
- name: payments
  properties:
  - name: id
    logicalType: string
    required: true
    unique: true
    primaryKey: true
  - name: paid
    logicalType: number
    logicalTypeOptions: {minimum: 0}
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "payments.odcs.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.mark.more
def test_a_contract_goes_out_and_comes_back(tidegate: Cli, contract_file: Callable[..., Path], tmp_path: Path) -> None:
    path = contract_file("cadence=timedelta(days=1)")
    out = tidegate("export", path, "--to", "odcs", "-o", tmp_path / "orders.yaml")
    assert (out.code, out.out) == (0, "")
    said = tidegate("export", path, "--to", "odcs")
    assert (said.code, said.err) == (0, "")
    assert said.out == (tmp_path / "orders.yaml").read_text(encoding="utf-8")
    back = tidegate("import", tmp_path / "orders.yaml")
    assert (back.code, back.err) == (0, "")
    again = tmp_path / "again.py"
    again.write_text(back.out, encoding="utf-8")
    assert tidegate("export", again, "--to", "odcs").out == said.out
    assert tg.load_contract(again).label == "returned"


def test_what_is_lost_is_told_on_stderr_and_in_json(tidegate: Cli, contract_file: Callable[..., Path]) -> None:
    path = contract_file("scope=lambda frame: frame['amount'] > 0")
    said = tidegate("export", path, "--to", "odcs")
    assert said.code == 0
    assert said.err.startswith("lost: scope: ")
    data = json.loads(tidegate("export", path, "--to", "odcs", "--json").out)
    assert data["format"] == 1
    assert data["document"]["kind"] == "DataContract"
    assert len(data["lost"]) == 1


def test_a_document_by_somebody_else_comes_in(tidegate: Cli, document: Path, tmp_path: Path) -> None:
    made = tmp_path / "payments.py"
    said = tidegate("import", document, "-o", made)
    assert (said.code, said.out) == (0, "")
    assert "lost: servers" in said.err
    assert "lost: status" in said.err
    contract = tg.load_contract(made)
    assert (contract.name, contract.key, contract.version) == ("payments", ("id",), "2.1.0")
    again = tidegate("import", document, "-o", made)
    assert again.code == 2
    assert "there already" in again.err
    data = json.loads(tidegate("import", document, "--name", "paid", "--json").out)
    assert data["name"] == "paid"
    assert data["source"].startswith('"""')
    assert any("servers" in line for line in data["lost"])


def test_json_is_all_that_the_contract_says_and_stable(tidegate: Cli, contract_file: Callable[..., Path]) -> None:
    path = contract_file()
    first, second = tidegate("export", path, "--to", "json"), tidegate("export", path, "--to", "json")
    assert first.code == 0
    assert first.out == second.out
    data = json.loads(first.out)
    contract = tg.load_contract(path)
    assert data == {"format": 1, "sha256": contract.sha256, **json.loads(json.dumps(contract.describe()))}


def test_infinite_bounds_are_no_invalid_json(tidegate: Cli, tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    path.write_text(
        "import pandera.pandas as pa, tidegate as tg\n"
        "c = tg.Contract(name='a', version='1.0.0', owner='b',\n"
        "    schema=pa.DataFrameSchema({'x': pa.Column(float, pa.Check.le(float('inf')))}))\n",
        encoding="utf-8",
    )
    said = tidegate("export", path, "--to", "json")
    assert said.code == 0
    assert "Infinity" not in said.out
    json.loads(said.out)


@pytest.mark.more
def test_wrong_use_exits_2_and_says_what_is_allowed(tidegate: Cli, document: Path, tmp_path: Path) -> None:
    tagged = tmp_path / "tagged.yaml"
    tagged.write_text(f"apiVersion: !!python/object/apply:os.system ['touch {tmp_path}/pwned']\n", encoding="utf-8")
    other = tmp_path / "other.json"
    other.write_text('{"swagger": "2.0"}', encoding="utf-8")
    contract = tmp_path / "c.py"
    for arguments, words in (
        (("export", contract, "--to", "odcs"), "no contract file"),
        (("import", tmp_path / "nowhere.yaml"), "no such file"),
        (("import", tmp_path), "no such file"),
        (("import", tagged), "tag"),
        (("import", other), "odcs"),
        (("import", document, "--object", "nowhere"), "'payments'"),
        (("import", document, "--name", "No Name"), "name"),
    ):
        said = tidegate(*arguments)
        assert (said.code, said.out) == (2, ""), said
        assert words in said.err, said.err
        assert "Traceback" not in said.err
    assert not (tmp_path / "pwned").exists()


def test_an_unknown_format_is_refused_with_those_that_are_known(
    tidegate: Cli, contract_file: Callable[..., Path]
) -> None:
    said = tidegate("export", contract_file(), "--to", "xml")
    assert said.code == 2
    assert "odcs, " in said.err
    assert "json" in said.err
