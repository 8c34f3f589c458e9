"""What is known of a batch's way, in OpenLineage's words. Imported by the sender's thread only: the client is heavy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    RunFacet,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    schema_dataset,
)

from tidegate_contracts.batch import utc
from tidegate_flows.lineage_moment import Moment
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import Run as Verdict

PRODUCER = "urn:tidegate"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"


@attr.define
class VerdictRunFacet(RunFacet):
    """What the gate decided; a facet of ours."""

    dataset: str
    batch: str | None
    decision: str | None
    state: str | None
    verified: bool | None
    run: str | None
    files: list[str]
    repeated: bool | None

    @staticmethod
    def _get_schema() -> str:
        return _SCHEMA


def event(moment: Moment) -> RunEvent:
    """A run event."""
    schema = schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(name=name, type=kind, description=words)
            for name, kind, words in moment.columns
        ],
        producer=PRODUCER,
    )
    job = job_type_job.JobTypeJobFacet(
        processingType="BATCH", integration="TIDEGATE", jobType="GATE", producer=PRODUCER
    )
    return RunEvent(
        eventTime=_time(moment.at),
        eventType=RunState[moment.kind],
        producer=PRODUCER,
        run=Run(moment.run, _run_facets(moment)),
        job=Job(moment.namespace, f"gate.{moment.dataset}", {"jobType": job}),
        inputs=[_input(moment, schema)],
        outputs=[_output(item.namespace, item.name, moment, schema) for item in moment.outputs],
    )


def _run_facets(moment: Moment) -> dict[str, Any]:
    run = moment.verdict
    found: dict[str, Any] = {
        "tidegate_verdict": VerdictRunFacet(
            moment.dataset,
            moment.batch,
            run.decision.value if run else None,
            run.state.value if run else None,
            run.verified if run else None,
            run.id if run else None,
            [path.name for path in run.files] if run else [],
            run.repeated if run else None,
            producer=PRODUCER,
        )
    }
    if run is not None and run.window is not None:
        found["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            _time(run.window.start), _time(run.window.end), producer=PRODUCER
        )
    if moment.error is not None:
        found["errorMessage"] = error_message_run.ErrorMessageRunFacet(moment.error, "PYTHON", producer=PRODUCER)
    return found


def _input(moment: Moment, schema: schema_dataset.SchemaDatasetFacet) -> InputDataset:
    facets: dict[str, Any] = {}
    if moment.assertions:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=[
                data_quality_assertions_dataset.Assertion(
                    assertion=item.check,
                    success=item.success,
                    column=item.column,
                    severity=item.severity,
                    expected=_number(item.threshold),
                    actual=_number(item.score),
                    params=None if item.failed is None else {"failed": item.failed},
                )
                for item in moment.assertions
            ],
            producer=PRODUCER,
        )
    if moment.verdict is not None:
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=moment.verdict.counts.delivered, producer=PRODUCER
        )
    return InputDataset(
        namespace=moment.source.namespace, name=moment.source.name, facets={"schema": schema}, inputFacets=facets
    )


def _output(namespace: str, name: str, moment: Moment, schema: schema_dataset.SchemaDatasetFacet) -> OutputDataset:
    run = moment.verdict
    assert run is not None  # noqa: S101 - what has no verdict has no outputs
    kept = name.endswith("/quarantine")
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=_kept(run) if kept else run.counts.published, producer=PRODUCER
    )
    version = run.batch if kept or not run.files else run.files[0].name
    facets: dict[str, Any] = {
        "schema": schema,
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(version, producer=PRODUCER),
    }
    return OutputDataset(namespace=namespace, name=name, facets=facets, outputFacets={"outputStatistics": statistics})


def _kept(run: Verdict) -> int:
    return run.counts.held if run.decision is Decision.HOLD else run.counts.quarantined


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"


def _time(moment: datetime) -> str:
    return utc(moment).isoformat().replace("+00:00", "Z")
