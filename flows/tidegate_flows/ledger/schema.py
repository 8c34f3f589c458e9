"""The ledger's tables."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text

FORMAT = 7

metadata = MetaData()

ledger_format = Table("ledger_format", metadata, Column("version", Integer, primary_key=True))

batches = Table(
    "batches",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("batch", String(160), primary_key=True),  # the id, or id~hash for other bytes under the same id
    Column("sha256", String(64), nullable=False),
    Column("token", Integer, nullable=False),  # raised by every claim, so that a slow worker cannot commit late
    Column("lease_until", Float, nullable=False),  # store clock, seconds; 0 when nobody works on it
    Column("lease", Float, nullable=False),  # of whoever claimed it last, seconds
    Column("run", String(36)),  # null until a verdict was committed
    Column("revised_by", Text),  # who has these other bytes supersede what was published under the id
    Column("revised_why", Text),
    Index("batches_by_sha", "dataset", "sha256"),
)

runs = Table(
    "runs",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("run", String(36), unique=True, nullable=False),
    Column("dataset", String(63), nullable=False),
    Column("batch", String(160), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("completed_at", Float, nullable=False),  # store clock, seconds
    Column("kept_since", Float, nullable=False),  # if it is kept back; judging it again changes nothing of that
    Column("event_end", Float),  # end of the window, seconds
    Column("rows", Integer, nullable=False),
    Column("rows_quarantined", Integer, nullable=False),
    Column("rows_failed", Integer, nullable=False),  # that broke a clause when the batch was judged, set aside or not
    Column("received_at", String(27), nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("fingerprint", String(64)),
    Column("files", Text, nullable=False),  # published files as JSON, relative to the store
    Column("discarded", Boolean, nullable=False),  # its quarantine was emptied by hand
    Column("document", Text, nullable=False),  # the Run as JSON
    Column("comparisons", Text, nullable=False),
    Column("profile", Text),
    Column("layout", String(64)),  # of the profile
    Column("sample", Text),  # of the batch's keys
    Column("accepted", Boolean, nullable=False),  # may join the latest blocks that batches are held against
    Column("moves", Text, nullable=False),  # what must happen on disk, as JSON
    Column("moved", Boolean, nullable=False),
    Column("superseded", Boolean, nullable=False),  # a later run speaks for this batch
    Column("arrival", Boolean, nullable=False),  # the batch came, and was not judged again
    Column("verified", Boolean, nullable=False),  # every monitor gave its answer
    Column("revision", Integer, nullable=False),  # 1; more where others were published under the id before
    Column("seconds", Float, nullable=False),  # how long the work on it took, without waiting for others
    Column("would", String(16)),  # what would have become of it, where the contract was in shadow
    Index(
        "one_run_speaks",
        "dataset",
        "batch",
        unique=True,
        sqlite_where=text("superseded = 0"),
        postgresql_where=text("NOT superseded"),
    ),
    Index("runs_by_dataset", "dataset", "seq"),
    Index("runs_by_batch", "dataset", "batch"),
    Index("runs_by_layout", "dataset", "layout", "event_end"),
    Index("runs_by_fingerprint", "dataset", "fingerprint"),
    Index("runs_unmoved", "moved"),
    Index("runs_arrived", "dataset", "arrival", "seq"),
    Index("runs_by_completion", "dataset", "superseded", "decision", "completed_at"),
    Index("runs_by_keeping", "dataset", "superseded", "decision", "kept_since", "discarded", "rows_quarantined"),
    Index("runs_by_window", "dataset", "superseded", "decision", "event_end"),
    Index("runs_set_aside", "dataset", "superseded", "decision", "discarded", "rows_quarantined"),
)

references = Table(
    "reference_versions",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("dataset", String(63), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blocks", Integer, nullable=False),
    Column("built_at", String(27), nullable=False),
    Column("approved_at", String(27)),
    Column("approved_by", Text),
    Column("reason", Text),
    Column("approval", Integer),  # order of approvals; the greatest is in force
    UniqueConstraint("dataset", "sha256"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("changed_at", String(27)),
    Column("cause", Text),
    Column("probe", String(160)),
    Column("probe_until", String(27)),  # store clock
    Column("override_until", String(27)),  # store clock
    Column("override_by", Text),
    Column("override_reason", Text),
    Column("tripped", Boolean, nullable=False),  # a person opened it: no cool-down ends that
)

streams = Table(
    "streams",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("reference", String(64), nullable=False),
    Column("event_end", Float),  # end of the last window that it has seen, seconds
    Column("document", Text, nullable=False),
    Column("ratios", Text, nullable=False),  # evidence over threshold by column, as JSON
)

contracts = Table(
    "contracts",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("document", Text, nullable=False),  # what the exporter needs to know, as JSON
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("dataset", String(63), primary_key=True),
    Column("labels", String(255), primary_key=True),  # canonical JSON of the other labels
    Column("value", Float, nullable=False),
)

cohorts = Table(
    "cohorts",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("batch", String(160), primary_key=True),
    Column("event_end", Float, nullable=False),  # end of the window, or when it was decided on; seconds
    Column("rows", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("labelled", Integer, nullable=False),
    Column("positive", Float),  # the mean label where it has two classes
    Column("joined_at", Float, nullable=False),  # store clock, seconds
    Column("document", Text, nullable=False),  # the Cohort as JSON
    Index("cohorts_by_window", "dataset", "event_end"),
    Index("cohorts_by_join", "dataset", "joined_at"),
)

label_deliveries = Table(
    "label_deliveries",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("joined_at", Float, nullable=False),  # store clock, seconds
)

label_reports = Table(
    "label_reports",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("judged_at", Float, nullable=False),  # store clock, seconds
    Column("settled_share", Float, nullable=False),  # of the batches that labels named last
    Column("document", Text, nullable=False),  # the JSON of ``labels``
)

audit = Table(
    "audit",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", String(27), nullable=False),
    Column("event", String(64), nullable=False),
    Column("batch", String(160)),
    Column("run", String(36)),
    Column("by", Text),
    Column("reason", Text),
    Column("sha256", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
)
