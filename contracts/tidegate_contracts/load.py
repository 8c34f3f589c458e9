"""Load a contract from a file: ``path.py[:name]``."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import ContractError, TidegateError
from tidegate_contracts.whereabouts import whereabouts


def load_contract(where: Contract | str | Path) -> Contract:
    """The contract at ``path.py[:name]``: the named one, else ``contract``, else the only one in the file.

    The file is the user's code and runs as such, under a private module name, with its folder importable while it runs.

    Raises:
        ContractError: There is no such file or contract, or the file raises.
    """
    if isinstance(where, Contract):
        return where
    text = str(where)
    path_text, _, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    path = Path(path_text)
    if path.suffix != ".py" or not path.is_file():
        raise ContractError(
            "no contract file",
            found=repr(path_text),
            allowed="path.py or path.py:name",
            hint=None if path.suffix == ".py" else "a contract is a Python file that makes a tidegate.Contract",
        )
    name, contract = _pick(_run(path.resolve()), path, name)
    return replace(contract, path=f"{path.resolve()}:{name}")


def _run(path: Path) -> ModuleType:
    private = "_tidegate_contract_" + hashlib.sha256(str(path).encode()).hexdigest()[:16]
    spec = spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise ContractError("the contract file cannot be loaded", found=str(path))
    module = module_from_spec(spec)
    sys.modules[private] = module  # dataclasses and postponed annotations look their module up
    paths, modules = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except TidegateError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ContractError(
            f"the contract file {path.name} raised",
            found=f"{type(error).__name__}: {error}{whereabouts(error, path)}",
        ) from error
    finally:
        sys.path[:] = paths
        _forget_siblings(path.parent, modules)
    return module


def _forget_siblings(folder: Path, before: set[str]) -> None:
    """Drop modules that the file imported from its own folder: another contract may have one of the same name."""
    for name in sys.modules.keys() - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(folder) and not name.startswith("_tidegate_contract_"):
            del sys.modules[name]


def _pick(module: ModuleType, path: Path, name: str) -> tuple[str, Contract]:
    contracts = {key: value for key, value in vars(module).items() if isinstance(value, Contract)}
    found = ", ".join(contracts) or "no contract"
    if name:
        if name not in contracts:
            raise ContractError(f"{path.name} has no contract {name!r}", found=found)
        return name, contracts[name]
    if "contract" in contracts:
        return "contract", contracts["contract"]
    if len(contracts) == 1:
        return next(iter(contracts.items()))
    raise ContractError(
        f"which contract of {path.name} is meant?" if contracts else f"{path.name} makes no contract",
        found=found,
        allowed="one named 'contract', or path.py:name",
    )
