"""Write the report of one batch: of one that the ledger knows, or of a file that is only looked at."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, StoreError, TidegateError, UsageError
from tidegate_flows import intake, reference
from tidegate_flows.evidently_report import evidently_report
from tidegate_flows.intake import UnreadableError
from tidegate_flows.pages.verdict_markdown import verdict_markdown
from tidegate_flows.pages.verdict_page import verdict_page
from tidegate_flows.pages.verdict_view import VerdictView
from tidegate_flows.place import Place
from tidegate_flows.rejudge import stage_kept
from tidegate_flows.report import sampled
from tidegate_flows.report.looked import looked
from tidegate_flows.report.remembered import became, remembered, speaking
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_monitors.breaker import Decision
from tidegate_monitors.reference import Reference

logger = logging.getLogger("tidegate.report")
FORMATS = {"html": (".html",), "md": (".md",), "both": (".html", ".md")}
_BESIDE = ".evidently"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        form: ``html``, ``md`` or ``both``, whatever the file is called.
        out: A folder, or a file; None for the usual place.
        evidently: Whether Evidently's report is to lie beside it.
        store: The store as the reader may name it in commands; None where commands find it by themselves.
        contract: The contract likewise.
        to_file: Whether anything is written at all; False gives the view alone.
    """

    form: str = "html"
    out: Path | None = None
    evidently: bool = False
    store: str | None = None
    contract: str = "CONTRACT"
    to_file: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        view: What it tells.
        files: Ours.
        evidently: Evidently's; None for none.
        troubles: What is missing of what was asked for, and why.
    """

    view: VerdictView
    files: tuple[Path, ...]
    evidently: Path | None = None
    troubles: tuple[str, ...] = ()


def write_report(place: Place, contract: Contract, batch: str, wanted: Wanted) -> Written:
    """Write the report of a batch that the ledger knows; usually to ``DATASET/reports/BATCH.html`` in the store.

    Raises:
        UsageError: The ledger knows no such batch.
        StoreError: The ledger cannot be read, or the report cannot be written.
    """
    row = speaking(place, contract.name, batch)
    if row is None:
        raise UsageError(
            f"no batch {batch!r} of {contract.name!r}",
            found=became(place, contract.name, batch),
            allowed="the id of a batch that was gated here",
        )
    view = replace(remembered(place, contract, row, store=wanted.store), contract=wanted.contract)

    def rows() -> tuple[Any, Any, str]:
        against = reference.load(place, contract.name, view.run.reference) if view.run.reference else None
        return _rows(place, contract, row), *sampled.of_reference(place, contract, against)

    return _write(view, rows, wanted, place.store.place(contract.name, "reports"), row.batch)


def write_look(
    contract: Contract,
    batch: str,
    against: Reference | None,
    wanted: Wanted,
    *,
    place: Place | None = None,
    as_of: datetime | str | None = None,
) -> tuple[Written, bool]:
    """Write the report of a file that is only looked at, usually to the folder one is in; and whether it passes.

    Args:
        contract: What was promised.
        batch: A file, a folder of part files, or a URL.
        against: What it is held against.
        wanted: What is asked for.
        place: Where rows of the reference may be; None for nowhere.
        as_of: When its age is counted.

    Raises:
        UsageError: There is no such batch.
        StoreError: The report cannot be written.
        MonitorError: A check or statistic raised.
    """
    found = looked(batch, contract, against, as_of=as_of)
    view = replace(found.view, contract=wanted.contract, store=wanted.store)

    def rows() -> tuple[Any, Any, str]:
        if found.table is None:
            raise MonitorError("the batch cannot be read")
        mine = sampled.of_table(found.table, contract)
        if place is None:
            return mine, None, "there is no store with rows of a reference"
        return mine, *sampled.of_reference(place, contract, against)

    return _write(view, rows, wanted, Path.cwd(), view.run.batch), found.passed


def _write(view: VerdictView, rows: Any, wanted: Wanted, usual: Path, name: str) -> Written:
    targets, beside = _targets(wanted, usual, name)
    troubles: list[str] = []
    further, alone = None, ""
    if wanted.evidently:
        try:
            current, before, why = rows()
            evidently_report(current, before, beside)
            further = beside
            if why:
                alone = why
                troubles.append(f"Evidently tells of the batch alone: {why}")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with it, our own report stands
            troubles.append(f"there is no report of Evidently: {_why(error)}")
    view = replace(view, evidently=further.name if further is not None else None, alone=alone)
    for path, suffix in targets if wanted.to_file else ():
        text = verdict_markdown(view) if suffix == ".md" else verdict_page(view)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_durably(path, text.encode("utf-8", "replace"))
    return Written(view, tuple(path for path, _ in targets) if wanted.to_file else (), further, tuple(troubles))


def stem(batch: str) -> str:
    """What the report of a batch is called: as the batch, unless another page is called so.

    No batch id has a tilde at its end.

    >>> stem("2013-04-10"), stem("labels"), stem("a.evidently")
    ('2013-04-10', 'labels~', 'a.evidently~')
    """
    name = batch.casefold()  # a disk may not tell capitals from small letters
    return f"{batch}~" if name == "labels" or name.endswith(_BESIDE) else batch


def _targets(wanted: Wanted, usual: Path, name: str) -> tuple[list[tuple[Path, str]], Path]:
    """Our files, each with the suffix of what is written into it, and Evidently's."""
    suffixes = FORMATS[wanted.form]
    out = usual if wanted.out is None else wanted.out.absolute()
    if wanted.out is None or out.is_dir() or not out.suffix:
        name = stem(name)
        return [(out / f"{name}{suffix}", suffix) for suffix in suffixes], out / f"{name}{_BESIDE}.html"
    named = [out] if len(suffixes) == 1 else [out.with_suffix(suffix) for suffix in suffixes]
    return list(zip(named, suffixes, strict=True)), out.with_suffix(f"{_BESIDE}.html")


def _rows(place: Place, contract: Contract, row: Any) -> Any:
    """Rows of a decided batch: of its published files, or of what was kept back."""
    if row.decision == Decision.PUBLISH.value:
        return sampled.of_files([place.store.root / name for name in json.loads(row.files)], contract)
    if row.discarded:
        raise MonitorError("the batch was discarded")
    try:
        with TemporaryDirectory(prefix="tidegate-") as folder:  # the store may be one that is only read
            batch = intake.decode(stage_kept(place, row, Path(folder)), contract)
    except UnreadableError:
        raise MonitorError("the batch cannot be read") from None
    return sampled.of_table(batch.table, contract)


def _why(error: Exception) -> str:
    if isinstance(error, TidegateError):
        found = f" ({error.found})" if error.found is not None else ""
        return f"{error.what}{found}{f'; {error.hint}' if error.hint else ''}"
    return getattr(error, "strerror", None) or type(error).__name__


def page_beside_verdict(place: Place, contract: Contract, batch: str, *, named: str = "CONTRACT") -> Path | None:
    """The page of a batch that was just decided on, for whoever automates; None where it could not be written.

    Whatever goes wrong here is logged, and the verdict stands.

    Args:
        place: Where it was decided on.
        contract: What was promised.
        batch: The ledger's key of the batch; of other bytes under a known id that is not the id.
        named: The contract as the reader may name it in commands.
    """
    try:
        return write_report(place, contract, batch, Wanted(contract=named)).files[0]
    except StoreError as error:
        logger.warning("no page of batch %s/%s: %s", contract.name, batch, error)
    except Exception as error:  # noqa: BLE001 - a page is for people: whatever it does, what was decided is decided
        logger.warning("no page of batch %s/%s: %s", contract.name, batch, type(error).__name__)
    return None
