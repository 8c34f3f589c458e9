"""Documents for Prometheus and Alertmanager as YAML, expressions in lines as they are meant to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def yaml_of(document: Mapping[str, Any], heading: str) -> str:
    """A document under a heading of comments; texts of several lines are blocks, and long ones are quoted."""
    import yaml  # type: ignore[import-untyped] # PyYAML ships no types

    class Dumper(yaml.SafeDumper):  # type: ignore[misc] # as above
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's own signature
            return True

    Dumper.add_representer(
        str,
        lambda dumper, value: dumper.represent_scalar(
            "tag:yaml.org,2002:str", value, style="|" if "\n" in value else None
        ),
    )
    text = yaml.dump(dict(document), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=118)
    return "".join(f"# {line}".rstrip() + "\n" for line in heading.splitlines()) + str(text)
