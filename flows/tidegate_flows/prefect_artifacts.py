"""What was decided, as Prefect artifacts: a table of the verdict, and a link to what was published or kept.

No value of the data is in them: findings have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidegate_flows.place import at
from tidegate_flows.prefect_patience import Patience
from tidegate_monitors.run import Run

_ROWS = 200  # lines of a table; the whole is in the ledger


def key_of(dataset: str) -> str:
    """The artifact's key: ``tidegate-DATASET``, with dashes, since Prefect allows no underscore."""
    return f"tidegate-{dataset}".replace("_", "-")


def show_run(run: Run, store: str | None, patience: Patience) -> None:
    """Keep one batch's verdict, and a link to its file, with the flow run."""
    target = patience.attempt("find the batch's files", lambda: _target(run, store))
    _keep_markdown(key_of(run.dataset), run_table(run, target), _title(run), patience)
    if target is not None:
        _keep_link(key_of(run.dataset) + "-file", target, patience)


def _title(run: Run) -> str:
    return f"{run.batch}: {run.decision.value}" + (f" ({run.caution})" if run.caution is not None else "")


def show_batches(dataset: str, documents: Sequence[dict[str, Any]], patience: Patience) -> None:
    """Keep one table of several batches with the flow run."""
    if documents:
        text = f"{len(documents)} batches of {dataset}"
        _keep_markdown(key_of(dataset), batches_table(dataset, documents), text, patience)


def run_table(run: Run, target: str | None = None) -> str:
    """One verdict in Markdown."""
    rows = run.counts
    caution = [("caution", f"**{_cell(run.caution)}**")] if run.caution is not None else []
    facts = [
        ("decision", f"**{run.decision.value}**"),
        *caution,
        ("breaker", run.state.value),
        ("rows", f"{rows.delivered} in, {rows.published} published, {rows.quarantined} quarantined, {rows.held} held"),
        ("contract", f"{run.contract_version} ({run.contract_sha256[:12]})"),
        ("reference", run.reference[:12] if run.reference else "none"),
        ("window", f"{run.window.start:%Y-%m-%d %H:%M} to {run.window.end:%Y-%m-%d %H:%M}" if run.window else "none"),
        ("run", run.id),
    ]
    if target is not None:
        facts.append(("file", f"[{_cell(target)}]({target})"))
    findings = [finding.to_dict() for finding in run.findings]
    return "\n".join(
        [
            f"### {_cell(run.dataset)} / {_cell(run.batch)}",
            "",
            *_table(("", ""), [(name, value) for name, value in facts]),
            "",
            *_findings(findings),
        ]
    )


def batches_table(dataset: str, documents: Sequence[dict[str, Any]]) -> str:
    """Several decisions in Markdown, a line each, the last ones if there are many."""
    lines = [
        (
            _cell(item["batch"]),
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
    return "\n".join([f"### {_cell(dataset)}", "", *left_out, *_table(head, lines)])


def _decision(document: dict[str, Any]) -> str:
    """The decision, and what whoever reads the rows must know of it."""
    if document["would"] is not None:
        return f"{document['decision']}, in shadow (would: {document['would']})"
    return f"{document['decision']}{'' if document['verified'] else ', unverified'}"


def _why(document: dict[str, Any]) -> str:
    loud = sorted({item["check"] for item in document["findings"] if item["severity"] != "info"})
    return ", ".join(loud) or "–"


def _findings(findings: Sequence[dict[str, Any]]) -> list[str]:
    if not findings:
        return ["Nothing was found."]
    lines = [
        (item["severity"], item["check"], _cell(item["column"]), _cell(item.get("slice")), _cell(item["message"]))
        for item in findings[:_ROWS]
    ]
    return _table(("severity", "check", "column", "slice", "what"), lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> list[str]:
    rule = "|" + "---|" * len(head)
    return ["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(map(str, line)) + " |" for line in lines)]


def _cell(value: Any) -> str:
    """Text that cannot end its cell or begin markup."""
    if value is None:
        return "–"
    text = " ".join(str(value).split())
    for mark in "\\|<>[]`*":  # an underscore within a word is one
        text = text.replace(mark, "\\" + mark)
    return text


def _target(run: Run, store: str | None) -> str | None:
    """Where to look: the page if there is one, else the published file, else the quarantine."""
    with at(store) as place:
        folder = place.store.place(run.dataset, "quarantine") / run.batch
        page = place.store.place(run.dataset, "reports") / f"{run.batch}.html"
    places: list[Path] = [page, *run.files, folder]
    return next((path.resolve().as_uri() for path in places if path.exists()), None)


def _keep_markdown(key: str, text: str, description: str, patience: Patience) -> None:
    from prefect.artifacts import create_markdown_artifact

    patience.attempt("keep the verdict's table", lambda: create_markdown_artifact(text, key, description))


def _keep_link(key: str, target: str, patience: Patience) -> None:
    from prefect.artifacts import create_link_artifact

    patience.attempt("keep the link", lambda: create_link_artifact(target, target.rpartition("/")[2], key))
