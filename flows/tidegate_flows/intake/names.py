"""What a delivery is called, and what its name says of its format."""

from __future__ import annotations

import os
import re
from itertools import takewhile
from pathlib import Path, PurePath

from tidegate_flows.decoder.formats import READERS, suffix_of_name

SUFFIXES = tuple(READERS)
_PLAIN_SUFFIX = re.compile(r"\.[a-z0-9]{1,16}")
_NAME_MAXIMUM = 255


def natural_id(path: PurePath) -> str:
    """The id that a file's own name gives: without suffixes, preceded by its ``key=value`` partition folders."""
    partitions = list(takewhile(lambda part: "=" in part, reversed(path.parts[:-1])))[::-1]
    suffix = suffix_of(path)
    name = path.name[: -len(suffix)] if suffix else path.name
    return "_".join([*partitions, name or path.name])


def suffix_of(path: PurePath) -> str:
    """A file's format by its name, such as ``.parquet`` or ``.csv.gz``, in lower case."""
    return (suffix_of_name(path.name) if Path(path.name).suffix else "") or path.suffix.lower()


def kept_suffix(path: PurePath) -> str:
    """The suffix that a staged copy keeps: a strange one is no part of a file name of ours."""
    suffix = suffix_of(path)
    return suffix if suffix in SUFFIXES or _PLAIN_SUFFIX.fullmatch(suffix) else ""


def recorded(name: str) -> str:
    """A name as it may be written down: text that is UTF-8, and not endless."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")[:_NAME_MAXIMUM]
