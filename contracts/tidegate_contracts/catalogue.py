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
        pitfall: What goes wrong, in one sentence.
    """

    id: str
    name: str
    stage: Stage
    priority: int
    pitfall: str


_STAGES = {stage.value[0].upper(): stage for stage in Stage}
_ROWS = (
    ("C1", "undocumented_column", 1, "A column whose meaning, unit or type everybody guesses."),
    ("C2", "conflicting_definition", 2, "One word stands for two different things in two contracts."),
    ("C3", "no_owner", 1, "Nobody can be asked, or nobody has looked at the contract for a year."),
    ("C4", "breaking_schema_change", 1, "A schema changes and its readers learn of it by failing."),
    ("C5", "semantic_change", 1, "A column keeps its name and type and means something else."),
    ("C6", "not_available_at_prediction", 1, "The model reads what is known only later."),
    ("C7", "target_as_feature", 1, "The model reads the answer, or a stand-in for it."),
    ("C8", "uncontrolled_personal_data", 2, "Personal data is used and nobody said what for."),
    ("C9", "no_freshness_promise", 2, "Nothing says when data should come, so late data is never late."),
    ("C10", "no_season_policy", 2, "Nothing says what repeats in time, or when rows are too old."),
    ("C11", "accuracy_only", 1, "Accuracy is the only measure, and a rare class can be ignored for free."),
    ("C12", "vague_metric", 2, "A goal that cannot be computed, or that is always met."),
    ("C13", "threshold_without_cost", 2, "A decision threshold that weighs no mistakes against each other."),
    ("C14", "no_slices", 2, "Only averages are watched, and a failing group hides in them."),
    ("C15", "no_scope", 2, "Nothing says which rows the model was made for."),
    ("C16", "no_action", 1, "It is not agreed what happens when the data is wrong."),
    ("C17", "no_upstream", 1, "It is not said what must be finished before the data is whole."),
    ("C18", "vacuous_contract", 1, "A contract that hardly any wrong value would break."),
    ("C19", "no_label_delay", 2, "Labels will come, but not by when or for which rows."),
    ("C20", "unseeded_sampling", 3, "A random sample that nobody can draw again."),
    ("B21", "schema_mismatch", 1, "Columns are missing, new, renamed, or of another type."),
    ("B22", "missing_values", 1, "Values are missing where the contract allows none."),
    ("B23", "missingness_jump", 1, "Far more values are missing than usual."),
    ("B24", "missingness_by_slice", 1, "Values are missing in one group of rows only."),
    ("B25", "lost_segment", 1, "A whole group of rows did not come."),
    ("B26", "blank_records", 1, "Rows arrive with nothing in them."),
    ("B27", "zero_variance", 1, "A column that used to vary has one value."),
    ("B28", "non_finite", 1, "A calculation upstream left NaN or infinity behind."),
    ("B29", "garbage_values", 1, "Placeholders and broken text pass for values."),
    ("B30", "impossible_values", 1, "Values that cannot be, such as a negative price."),
    ("B31", "outlier_burst", 2, "Extreme values come in a bunch, from one place or hour."),
    ("B32", "duplicate_rows", 1, "One row stands in the batch more than once."),
    ("B33", "redelivered_batch", 1, "Rows that were delivered before come again."),
    ("B34", "split_duplicates", 1, "The same row is in the training data and in the test data."),
    ("B35", "split_entity_overlap", 1, "One person or thing stands on both sides of a split."),
    ("B36", "split_time_overlap", 1, "The test data is not later than the training data."),
    ("B37", "look_ahead", 1, "A row holds what was not yet known when its prediction was made."),
    ("B38", "stale_data", 1, "The table was refreshed, but its newest event is old."),
    ("B39", "late_batch", 1, "A batch comes after its time."),
    ("B40", "incomplete_upstream", 1, "The load began before its source was finished."),
    ("B41", "volume", 1, "Far too few rows, or far too many."),
    ("B42", "expired_rows", 2, "Rows are older than they may be."),
    ("B43", "suppressed_people", 2, "People who opted out are still in the data."),
    ("B44", "personal_data_leak", 2, "Personal data turns up in a column that should hold none."),
    ("B45", "class_imbalance", 1, "A class of the label is far too rare, or gone."),
    ("B46", "unknown_labels", 2, "Labels that are no class of the contract."),
    ("B47", "conflicting_labels", 2, "Equal rows carry different labels."),
    ("B48", "annotator_bias", 2, "One annotator labels differently from all others."),
    ("B49", "insufficient_evidence", 1, "Too little data to say anything, taken for good news."),
    ("B50", "drift", 1, "A column no longer looks like the data that the model was built on."),
    ("B51", "joint_drift", 2, "Each column looks as usual, but they no longer hang together."),
    ("B52", "category_change", 1, "Categories appear that were never seen, or known ones vanish."),
    ("B53", "out_of_scope", 1, "Rows for which the model was not made."),
    ("B54", "unrepresentative_sample", 2, "The rows do not mirror the population they stand for."),
    ("B55", "feature_leak", 1, "A feature knows the label too well to be honest."),
    ("B56", "spurious_cue", 2, "The label can be told from where or when a row was written."),
    ("B57", "unit_change", 1, "A column changes its unit: kilometres for miles, cents for euros."),
    ("B58", "timezone_shift", 2, "All times are off by some hours."),
    ("B59", "swapped_columns", 2, "Two columns have changed places."),
    ("B60", "broken_invariant", 1, "Columns contradict each other: an end before its start."),
    ("B61", "broken_reference", 1, "Keys point to nothing, or a join lost or multiplied rows."),
    ("B62", "training_serving_skew", 1, "A feature is computed differently in training and in production."),
    ("B63", "scaler_leak", 2, "Features were scaled with knowledge of the test data, or not at all."),
    ("B64", "too_few_rows", 3, "There are few rows for so many features."),
    ("B65", "redundant_feature", 3, "A new feature says what another one says already."),
    ("B66", "low_coverage_signal", 3, "A column is dropped for its gaps, though what it has tells much."),
    ("B67", "sorted_rows", 2, "Rows come in an order that a model can learn."),
    ("B68", "autocorrelated_rows", 3, "Neighbouring rows repeat each other, so they count for fewer."),
    ("B69", "unqualified_sample", 2, "A test set too small or too odd for what is concluded from it."),
    ("B70", "different_test_data", 2, "Two models are compared on different data."),
    ("B71", "poisoning_burst", 2, "A flood of near-identical rows pushes the model."),
    ("S72", "class_collapse", 1, "The model says the same of everything."),
    ("S73", "invalid_predictions", 1, "Predictions that are missing, or that are no probabilities."),
    ("S74", "lost_predictions", 1, "Rows went into the model and did not come out, or came out twice."),
    ("S75", "prediction_drift", 1, "Predictions no longer look like those of the reference."),
    ("S76", "base_rate_gap", 1, "The model predicts far more or fewer positives than there are."),
    ("S77", "threshold_unreached", 1, "No prediction reaches the decision threshold."),
    ("S78", "mixed_model_versions", 2, "One batch was scored by several models, or by the wrong one."),
    ("S79", "feedback_loop", 2, "The model shapes the data that it will learn from."),
    ("S80", "estimated_performance", 2, "The model gets worse before any label can tell."),
    ("S81", "scoring_cost", 3, "Scoring takes longer or costs more than it did."),
    ("L82", "prediction_bias", 1, "Predictions are too high or too low on average."),
    ("L83", "bucket_bias", 1, "Predictions are right on average and wrong at one end."),
    ("L84", "slice_bias", 1, "Predictions are right on average and wrong for one group."),
    ("L85", "miscalibration", 1, "Of cases called 70 % likely, it is not 70 % that come true."),
    ("L86", "masked_slice_bias", 2, "Calibration mends the average and hides a group's bias."),
    ("L87", "no_skill", 1, "The model is no better than always naming the commonest class."),
    ("L88", "per_class_floor", 1, "One class is missed while the total looks good."),
    ("L89", "weak_slice", 1, "The model fails a group that is too small to move the total."),
    ("L90", "too_good", 1, "The model is suddenly better than it can be."),
    ("L91", "offline_online_gap", 2, "Production is worse than the test promised."),
    ("L92", "immature_labels", 1, "The model is judged before its labels are complete."),
    ("L93", "selective_labels", 1, "Which rows get a label depends on what the model said."),
    ("L94", "label_drift", 2, "What is predicted has become more or less common."),
    ("L95", "concept_drift", 1, "Rows look the same, but other things come true of them."),
    ("L96", "label_noise", 2, "Labels contradict each other, or are taken back later."),
    ("L97", "regression_error", 2, "One error measure hides how numbers are missed."),
    ("L98", "costly_threshold", 2, "The decision threshold costs more than another one would."),
    ("L99", "baseline_not_beaten", 2, "A simple rule would do as well as the model."),
    ("L100", "refresh_interval", 2, "How often the model is trained again is a guess."),
    ("L101", "holdout_reuse", 2, "The test set was looked at so often that it tests nothing."),
    ("L102", "irreproducible_metric", 3, "The same data and model give another number."),
    ("L103", "overfit_gap", 3, "The model is far better on what it has seen."),
    ("H104", "slow_poisoning", 1, "Each batch moves a little, and nobody sees how far it went."),
    ("H105", "error_budget_burn", 1, "Many small violations, each too small to stop a batch."),
    ("H106", "reference_contamination", 1, "The reference learns the fault and calls it normal."),
    ("H107", "season_mistaken", 1, "A season is taken for drift, or drift for a season."),
    ("H108", "rewritten_history", 1, "Data that was settled has changed since."),
    ("H109", "silent_monitor", 1, "The monitor itself has stopped, and silence looks like health."),
    ("H110", "untuned_thresholds", 1, "Thresholds were guessed and never held against history."),
    ("H111", "dataset_reliability", 2, "Nobody knows how often a dataset breaks its contract."),
    ("H112", "concurrent_changes", 2, "Several things changed at once, and none can be blamed."),
    ("H113", "untracked_run", 2, "A result that cannot be traced to its data, code and contract."),
    ("H114", "abandoned_dataset", 2, "No batch, no owner and no reader for a long time."),
    ("H115", "untested_pipeline", 2, "Nobody has tried whether a fault would really be caught."),
    ("H116", "retrain_due", 3, "Data has drifted, the model suffers, and nobody trains it again."),
)
_ENTRIES = tuple(Entry(key, name, _STAGES[key[0]], priority, pitfall) for key, name, priority, pitfall in _ROWS)

CATALOGUE = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def is_advice(check: str) -> bool:
    """Whether a check only advises (priority 3), and so may never be critical."""
    entry = CATALOGUE.get(check)
    return entry is not None and entry.priority == 3
