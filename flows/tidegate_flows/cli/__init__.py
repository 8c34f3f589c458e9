"""The command line. Results on stdout, logs and progress on stderr; one file a group of commands."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line and exit with 0 passed, 1 stopped, 2 wrong command, 3 no verdict."""
    from tidegate_flows.cli.app import app
    from tidegate_flows.cli.exits import run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name need not be UTF-8
    sys.exit(run(app, sys.argv[1:]))
