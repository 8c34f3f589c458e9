"""Some columns of a profile, without making the others."""

from __future__ import annotations

import json
from collections.abc import Collection

from tidegate_monitors.column_profile import ColumnProfile
from tidegate_monitors.profile import FORMAT


def profiled_columns(text: str, wanted: Collection[str], layout: str) -> dict[str, ColumnProfile]:
    """The wanted columns of a profile's JSON; none where it was counted into other cells."""
    data = json.loads(text)
    if data["format"] != FORMAT or data["layout"] != layout:
        return {}
    columns = data["columns"]
    return {name: ColumnProfile.from_dict(columns[name]) for name in wanted if name in columns}
