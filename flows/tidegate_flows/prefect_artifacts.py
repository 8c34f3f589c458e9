"""What was decided, as Prefect artifacts: a table of the verdict, and a link to what was published or kept.

No value of the data is in them: findings have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidegate_flows.pages.verdict_markdown import cell, verdict_markdown
from tidegate_flows.pages.verdict_view import VerdictView
from tidegate_flows.place import at
from tidegate_flows.prefect_patience import Patience
from tidegate_flows.rejudge import last_contract
from tidegate_flows.report.written import page_beside_verdict
from tidegate_monitors.run import Run

_ROWS = 200  # lines of a table; the whole is in the ledger


def key_of(dataset: str) -> str:
    """The artifact's key: ``tidegate-DATASET``, with dashes, since Prefect allows no underscore."""
    return f"tidegate-{dataset}".replace("_", "-")


def show_run(run: Run, store: str | None, patience: Patience) -> None:
    """Keep one batch's verdict, and a link to its file, with the flow run."""
    page = patience.attempt("write the page of the verdict", lambda: page_of(run, store))
    target = patience.attempt("find the batch's files", lambda: target_of(run, store, page))
    _keep_markdown(key_of(run.dataset), run_table(run, target), _title(run), patience)
    if target is not None:
        _keep_link(key_of(run.dataset) + "-file", target, patience)


def page_of(run: Run, store: str | None) -> Path | None:
    """The page of the batch, written now; None where it cannot be."""
    with at(store) as place:
        contract = last_contract(place, run.dataset)
        if contract is None:
            return None
        return page_beside_verdict(place, contract, _key(run), named=contract.path or "CONTRACT")


def target_of(run: Run, store: str | None, page: Path | None) -> str | None:
    """Where to look: the page of the batch if there is one, else its published file, else what is kept."""
    with at(store) as place:
        folder = place.store.place(run.dataset, "quarantine") / _key(run)
    places: list[Path] = [*([page] if page is not None else []), *run.files, folder]
    return next((path.resolve().as_uri() for path in places if path.exists()), None)


def _key(run: Run) -> str:
    """The ledger's key of its batch."""
    return run.key or run.batch


def _title(run: Run) -> str:
    return f"{_key(run)}: {run.decision.value}" + (f" ({run.caution})" if run.caution is not None else "")


def show_batches(dataset: str, documents: Sequence[dict[str, Any]], patience: Patience) -> None:
    """Keep one table of several batches with the flow run."""
    if documents:
        text = f"{len(documents)} batches of {dataset}"
        _keep_markdown(key_of(dataset), batches_table(dataset, documents), text, patience)


def run_table(run: Run, target: str | None = None) -> str:
    """One verdict in Markdown."""
    return verdict_markdown(VerdictView(run, run.at, batch=_key(run)), target)


def batches_table(dataset: str, documents: Sequence[dict[str, Any]]) -> str:
    """Several decisions in Markdown, a line each, the last ones if there are many."""
    lines = [
        (
            cell(item.get("key") or item["batch"]),
            _decision(item),
            item["state"],
            item["rows"]["in"],
            item["rows"]["published"],
            _why(item),
        )
        for item in documents[-_ROWS:]
    ]
    left_out = [f"The last {_ROWS} of {len(documents)} batches.", ""] if len(documents) > _ROWS else []
    head = ("batch", "decision", "breaker", "rows in", "published", "because of")
    return "\n".join([f"### {cell(dataset)}", "", *left_out, *_table(head, lines)])


def _decision(document: dict[str, Any]) -> str:
    """The decision, and what whoever reads the rows must know of it."""
    if document["would"] is not None:
        return f"{document['decision']}, in shadow (would: {document['would']})"
    return f"{document['decision']}{'' if document['verified'] else ', unverified'}"


def _why(document: dict[str, Any]) -> str:
    loud = sorted({item["check"] for item in document["findings"] if item["severity"] != "info"})
    return ", ".join(map(cell, loud)) or "–"


def _table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> list[str]:
    rule = "|" + "---|" * len(head)
    return ["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(map(str, line)) + " |" for line in lines)]


def _keep_markdown(key: str, text: str, description: str, patience: Patience) -> None:
    from prefect.artifacts import create_markdown_artifact

    patience.attempt("keep the verdict's table", lambda: create_markdown_artifact(text, key, description))


def _keep_link(key: str, target: str, patience: Patience) -> None:
    from prefect.artifacts import create_link_artifact

    patience.attempt("keep the link", lambda: create_link_artifact(target, target.rpartition("/")[2], key))
