"""Who owns a dataset: each alert of one carries it, for routing."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Record
from tidegate_flows.alert_rules.promql import BY, known

OWNER = Record(
    "tidegate:owner",
    f"topk by ({BY}) (1, {known('tidegate_contract_info', f'{BY}, owner')})\n"
    f"or on ({BY})\n"
    f'label_replace({known("tidegate_breaker_state")} >= bool 0, "owner", "nobody", "", "")',
)
