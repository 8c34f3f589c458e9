"""The type of a column, as another tool's document leads to it and a contract file says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from tidegate_contracts.types import LogicalType, declared_type

_OURS = re.compile(
    r"bool|boolean|str|string\[(?:python|pyarrow)\]|arrow_string|category|object"
    r"|(?:u?int|U?Int)(?:8|16|32|64)|[fF]loat(?:32|64)|float16"
    r"|(?:u?int(?:8|16|32|64)|float|double|bool|date32\[day\])\[pyarrow\]"
    r"|datetime64\[(?:s|ms|us|ns)(?:, [A-Za-z0-9_+/-]{1,64})?\]|timedelta64\[(?:s|ms|us|ns)\]"
)
_ARROW_TIME = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=([A-Za-z0-9_+/-]{1,64}))?\]\[pyarrow\]")
_ARROW_DECIMAL = re.compile(r"decimal128\((\d{1,2}), (\d{1,2})\)\[pyarrow\]")


@dataclass(frozen=True, slots=True)
class Dtype:
    """A pandera data type that can be written down.

    Attributes:
        text: Its name, which pandera or pandas understands; None declares no type.
        categories: The categories of a categorical type.
        ordered: Whether they have an order.
    """

    text: str | None
    categories: tuple[Any, ...] | None = None
    ordered: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the name is one that we write."""
        patterns = (_OURS, _ARROW_TIME, _ARROW_DECIMAL)
        return self.text is None or any(pattern.fullmatch(self.text) for pattern in patterns)

    @property
    def value(self) -> Any:
        """What ``pandera.Column`` takes."""
        if self.categories is not None:
            import pandas as pd

            return pd.CategoricalDtype(list(self.categories), ordered=self.ordered)
        if self.arrow is None:
            return self.text
        import pandas as pd
        import pyarrow

        name, arguments = self.arrow
        return pd.ArrowDtype(getattr(pyarrow, name)(*arguments))

    @property
    def arrow(self) -> tuple[str, tuple[Any, ...]] | None:
        """The function of pyarrow and its arguments, where pandas cannot read the type's name."""
        if self.text is None:
            return None
        if match := _ARROW_TIME.fullmatch(self.text):
            return "timestamp", tuple(part for part in match.groups() if part)
        if match := _ARROW_DECIMAL.fullmatch(self.text):
            return "decimal128", tuple(map(int, match.groups()))
        return None

    @property
    def logical(self) -> LogicalType:
        """Its family."""
        import pandera.pandas as pa

        return declared_type(pa.Column(self.value).dtype).logical

    @property
    def zone(self) -> str | None:
        """The time zone of a time."""
        match = re.search(r", (?:tz=)?([^\]]+)\]", self.text or "")
        return match.group(1) if match and self.logical is LogicalType.TIME else None

    def moment(self, text: str) -> Any:
        """A day, or a time in the type's own zone, from its text in ISO 8601.

        Raises:
            ValueError: It says none.
            TypeError: A time with a zone that cannot be brought to one without, or back.
            OverflowError: It is beyond what can be held.
        """
        import pandas as pd

        if self.logical is LogicalType.DATE:
            return date.fromisoformat(text)
        moment: Any = pd.Timestamp(text if re.match(r"\d{4}-\d{2}", text) else f"no time: {text}")
        if moment.tzinfo is None:
            return moment.tz_localize(self.zone, ambiguous=True, nonexistent="shift_forward")
        return moment.tz_convert(self.zone)
