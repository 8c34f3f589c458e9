"""Columns that seem to hold personal data, by their name or by the look of their values."""

from __future__ import annotations

import re

import pyarrow.compute as pc

from tidegate_contracts.guesses.evidence import Evidence
from tidegate_contracts.types import LogicalType

_NAMES = re.compile(
    r"(^|_)((first|last|given|family|sur|fore|middle|maiden|full|user|nick|customer|person|patient|employee)_?names?"
    r"|name|e_?mail|mail|phone|telephone|tel|mobile|cell|fax|address|street|birth_?(date|day)?|date_of_birth|dob"
    r"|ssn|social_security|passport|iban|credit_card|card_number|ip|ip_address)(_|$)"
)
_LOOKS = {
    "an e-mail address": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    "a phone number": r"^(\+|00)[0-9][0-9 ()./-]{6,18}[0-9]$|^\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}$",
    "an IP address": r"^([0-9]{1,3}\.){3}[0-9]{1,3}$",
}
_SHARE = 0.05


def suspicion(evidence: Evidence) -> str | None:
    """Why a column may hold personal data, or None."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", evidence.name).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name)
    if _NAMES.search(name) and evidence.logical is not LogicalType.BOOLEAN:
        return "its name"
    if evidence.logical is LogicalType.TEXT and len(evidence.present):
        for what, pattern in _LOOKS.items():
            alike = pc.sum(pc.match_substring_regex(evidence.present, pattern)).as_py() or 0
            if alike > _SHARE * len(evidence.present):
                return f"values that look like {what}"
    return None
