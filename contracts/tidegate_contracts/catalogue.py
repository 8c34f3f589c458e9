"""The catalogue: every silent failure that has a name here, and how much it matters.

A check's name is public: it is the value of ``check`` in verdicts, metric labels, reports and documents.
Priority 1 must be caught, 2 should be, 3 is advice: reported, never critical.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """When a check can speak."""

    CONTRACT = "contract"
    BATCH = "batch"
    SCORING = "scoring"
    LABEL = "label"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Entry:
    """One silent failure.

    Attributes:
        id: Its short identifier, a letter for the stage and a number.
        name: Its public name.
        stage: When it can be seen.
        priority: 1 must, 2 should, 3 advice.
    """

    id: str
    name: str
    stage: Stage
    priority: int


_ENTRIES = (
    Entry("C1", "undocumented_column", Stage.CONTRACT, 1),
    Entry("C2", "conflicting_definition", Stage.CONTRACT, 2),
    Entry("C3", "no_owner", Stage.CONTRACT, 1),
    Entry("C4", "breaking_schema_change", Stage.CONTRACT, 1),
    Entry("C5", "semantic_change", Stage.CONTRACT, 1),
    Entry("C6", "not_available_at_prediction", Stage.CONTRACT, 1),
    Entry("C7", "target_as_feature", Stage.CONTRACT, 1),
    Entry("C8", "uncontrolled_personal_data", Stage.CONTRACT, 2),
    Entry("C9", "no_freshness_promise", Stage.CONTRACT, 2),
    Entry("C10", "no_season_policy", Stage.CONTRACT, 2),
    Entry("C11", "accuracy_only", Stage.CONTRACT, 1),
    Entry("C12", "vague_metric", Stage.CONTRACT, 2),
    Entry("C13", "threshold_without_cost", Stage.CONTRACT, 2),
    Entry("C14", "no_slices", Stage.CONTRACT, 2),
    Entry("C15", "no_scope", Stage.CONTRACT, 2),
    Entry("C16", "no_action", Stage.CONTRACT, 1),
    Entry("C17", "no_upstream", Stage.CONTRACT, 1),
    Entry("C18", "vacuous_contract", Stage.CONTRACT, 1),
    Entry("C19", "no_label_delay", Stage.CONTRACT, 2),
    Entry("C20", "unseeded_sampling", Stage.CONTRACT, 3),
    Entry("B21", "schema_mismatch", Stage.BATCH, 1),
    Entry("B22", "missing_values", Stage.BATCH, 1),
    Entry("B23", "missingness_jump", Stage.BATCH, 1),
    Entry("B24", "missingness_by_slice", Stage.BATCH, 1),
    Entry("B25", "lost_segment", Stage.BATCH, 1),
    Entry("B26", "blank_records", Stage.BATCH, 1),
    Entry("B27", "zero_variance", Stage.BATCH, 1),
    Entry("B28", "non_finite", Stage.BATCH, 1),
    Entry("B29", "garbage_values", Stage.BATCH, 1),
    Entry("B30", "impossible_values", Stage.BATCH, 1),
    Entry("B31", "outlier_burst", Stage.BATCH, 2),
    Entry("B32", "duplicate_rows", Stage.BATCH, 1),
    Entry("B33", "redelivered_batch", Stage.BATCH, 1),
    Entry("B34", "split_duplicates", Stage.BATCH, 1),
    Entry("B35", "split_entity_overlap", Stage.BATCH, 1),
    Entry("B36", "split_time_overlap", Stage.BATCH, 1),
    Entry("B37", "look_ahead", Stage.BATCH, 1),
    Entry("B38", "stale_data", Stage.BATCH, 1),
    Entry("B39", "late_batch", Stage.BATCH, 1),
    Entry("B40", "incomplete_upstream", Stage.BATCH, 1),
    Entry("B41", "volume", Stage.BATCH, 1),
    Entry("B42", "expired_rows", Stage.BATCH, 2),
    Entry("B43", "suppressed_people", Stage.BATCH, 2),
    Entry("B44", "personal_data_leak", Stage.BATCH, 2),
    Entry("B45", "class_imbalance", Stage.BATCH, 1),
    Entry("B46", "unknown_labels", Stage.BATCH, 2),
    Entry("B47", "conflicting_labels", Stage.BATCH, 2),
    Entry("B48", "annotator_bias", Stage.BATCH, 2),
    Entry("B49", "insufficient_evidence", Stage.BATCH, 1),
    Entry("B50", "drift", Stage.BATCH, 1),
    Entry("B51", "joint_drift", Stage.BATCH, 2),
    Entry("B52", "category_change", Stage.BATCH, 1),
    Entry("B53", "out_of_scope", Stage.BATCH, 1),
    Entry("B54", "unrepresentative_sample", Stage.BATCH, 2),
    Entry("B55", "feature_leak", Stage.BATCH, 1),
    Entry("B56", "spurious_cue", Stage.BATCH, 2),
    Entry("B57", "unit_change", Stage.BATCH, 1),
    Entry("B58", "timezone_shift", Stage.BATCH, 2),
    Entry("B59", "swapped_columns", Stage.BATCH, 2),
    Entry("B60", "broken_invariant", Stage.BATCH, 1),
    Entry("B61", "broken_reference", Stage.BATCH, 1),
    Entry("B62", "training_serving_skew", Stage.BATCH, 1),
    Entry("B63", "scaler_leak", Stage.BATCH, 2),
    Entry("B64", "too_few_rows", Stage.BATCH, 3),
    Entry("B65", "redundant_feature", Stage.BATCH, 3),
    Entry("B66", "low_coverage_signal", Stage.BATCH, 3),
    Entry("B67", "sorted_rows", Stage.BATCH, 2),
    Entry("B68", "autocorrelated_rows", Stage.BATCH, 3),
    Entry("B69", "unqualified_sample", Stage.BATCH, 2),
    Entry("B70", "different_test_data", Stage.BATCH, 2),
    Entry("B71", "poisoning_burst", Stage.BATCH, 2),
    Entry("S72", "class_collapse", Stage.SCORING, 1),
    Entry("S73", "invalid_predictions", Stage.SCORING, 1),
    Entry("S74", "lost_predictions", Stage.SCORING, 1),
    Entry("S75", "prediction_drift", Stage.SCORING, 1),
    Entry("S76", "base_rate_gap", Stage.SCORING, 1),
    Entry("S77", "threshold_unreached", Stage.SCORING, 1),
    Entry("S78", "mixed_model_versions", Stage.SCORING, 2),
    Entry("S79", "feedback_loop", Stage.SCORING, 2),
    Entry("S80", "estimated_performance", Stage.SCORING, 2),
    Entry("S81", "scoring_cost", Stage.SCORING, 3),
    Entry("L82", "prediction_bias", Stage.LABEL, 1),
    Entry("L83", "bucket_bias", Stage.LABEL, 1),
    Entry("L84", "slice_bias", Stage.LABEL, 1),
    Entry("L85", "miscalibration", Stage.LABEL, 1),
    Entry("L86", "masked_slice_bias", Stage.LABEL, 2),
    Entry("L87", "no_skill", Stage.LABEL, 1),
    Entry("L88", "per_class_floor", Stage.LABEL, 1),
    Entry("L89", "weak_slice", Stage.LABEL, 1),
    Entry("L90", "too_good", Stage.LABEL, 1),
    Entry("L91", "offline_online_gap", Stage.LABEL, 2),
    Entry("L92", "immature_labels", Stage.LABEL, 1),
    Entry("L93", "selective_labels", Stage.LABEL, 1),
    Entry("L94", "label_drift", Stage.LABEL, 2),
    Entry("L95", "concept_drift", Stage.LABEL, 1),
    Entry("L96", "label_noise", Stage.LABEL, 2),
    Entry("L97", "regression_error", Stage.LABEL, 2),
    Entry("L98", "costly_threshold", Stage.LABEL, 2),
    Entry("L99", "baseline_not_beaten", Stage.LABEL, 2),
    Entry("L100", "refresh_interval", Stage.LABEL, 2),
    Entry("L101", "holdout_reuse", Stage.LABEL, 2),
    Entry("L102", "irreproducible_metric", Stage.LABEL, 3),
    Entry("L103", "overfit_gap", Stage.LABEL, 3),
    Entry("H104", "slow_poisoning", Stage.HISTORY, 1),
    Entry("H105", "error_budget_burn", Stage.HISTORY, 1),
    Entry("H106", "reference_contamination", Stage.HISTORY, 1),
    Entry("H107", "season_mistaken", Stage.HISTORY, 1),
    Entry("H108", "rewritten_history", Stage.HISTORY, 1),
    Entry("H109", "silent_monitor", Stage.HISTORY, 1),
    Entry("H110", "untuned_thresholds", Stage.HISTORY, 1),
    Entry("H111", "dataset_reliability", Stage.HISTORY, 2),
    Entry("H112", "concurrent_changes", Stage.HISTORY, 2),
    Entry("H113", "untracked_run", Stage.HISTORY, 2),
    Entry("H114", "abandoned_dataset", Stage.HISTORY, 2),
    Entry("H115", "untested_pipeline", Stage.HISTORY, 2),
    Entry("H116", "retrain_due", Stage.HISTORY, 3),
)

CATALOGUE = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def is_advice(check: str) -> bool:
    """Whether a check only advises (priority 3), and so may never be critical."""
    entry = CATALOGUE.get(check)
    return entry is not None and entry.priority == 3
