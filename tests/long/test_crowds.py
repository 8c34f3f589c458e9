"""Six processes at the same batch at the same time, a thousand times over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.flows.crowd import crowd

pytestmark = pytest.mark.long

ROUNDS = int(os.environ.get("TIDEGATE_ROUNDS", "1000"))


def test_each_batch_is_decided_once_however_many_come_at_once(tmp_path: Path) -> None:
    crowd(tmp_path, tmp_path / "store", workers=6, rounds=ROUNDS)
