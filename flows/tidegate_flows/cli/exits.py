"""Exit codes: 0 passed · 1 stopped · 2 wrong command, contract or option · 3 no verdict."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from tidegate_contracts.errors import TidegateError
from tidegate_flows.plain import plain

PASSED, STOPPED, WRONG, NO_VERDICT = 0, 1, 2, 3
_INTERRUPTED = 130
_logger = logging.getLogger("tidegate.cli")
_as_logs = False
_YES = ("1", "true", "t", "yes", "y", "on")

# typer carries its own copy of click from some version on: this is the error class of whichever it uses
_WrongCommand = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command; every error becomes one clear message on stderr and its exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="tidegate", standalone_mode=False)
    except typer.Exit as end:
        return int(end.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except TidegateError as error:
        say(*_message(error))
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return PASSED
    except Exception as error:  # the last line of defence: a bug is no verdict, and never a pass
        if isinstance(error, _WrongCommand):
            return _wrong(error, arguments)
        if _as_logs:
            _logger.exception("a bug")
        else:
            traceback.print_exc(file=sys.stderr)
        say("error: this is a bug in tidegate; nothing was published by this command after it")
        return NO_VERDICT
    if code == _INTERRUPTED:  # newer versions of typer catch the signal themselves
        return _interrupted()
    return int(code) if isinstance(code, int) else PASSED


def _wrong(error: Any, arguments: Sequence[str]) -> int:
    """Say what is wrong with a command; it may be refused before its option for logs was read."""
    asked = "--log-json" in arguments or os.environ.get("TIDEGATE_LOG_JSON", "").strip().lower() in _YES
    if asked and not _as_logs:
        messages_as_logs()
    if not _as_logs or type(error).__name__ == "NoArgsIsHelpError":
        error.show(file=sys.stderr)
        return WRONG
    where = getattr(error, "ctx", None)
    say(
        f"error: {error.format_message().rstrip('.')}",
        *([f"hint: {where.command_path} --help"] if where is not None else []),
    )
    return WRONG


def _interrupted() -> int:
    said = "interrupted; what was decided is kept, nothing else was published: run the same command again to go on"
    say(said, level=logging.WARNING)
    return _INTERRUPTED


def messages_as_logs(ledger: str = "", *, verbose: bool = False) -> None:
    """From now on logs are for machines, and what is said goes their way.

    Args:
        ledger: The ledger's URL, whose password is not told.
        verbose: Whether what others log by the way is told too.
    """
    from tidegate_flows.json_logs import configure
    from tidegate_flows.masking import Mask

    global _as_logs  # one command is one process
    configure(Mask.of_environment(ledger), verbose=verbose)
    _as_logs = True


def say(*lines: str, level: int | None = None) -> None:
    """Write lines to stderr; a name or value from outside cannot make another line, or move the cursor.

    Args:
        lines: What is said.
        level: How grave it is, where it goes the way of logs; None for what its first word says.
    """
    if _as_logs:
        said = "; ".join(" ".join(plain(line).split()) for line in lines)
        _logger.log(_level(lines) if level is None else level, "%s", said)
        return
    for line in lines:
        print(plain(line), file=sys.stderr)  # noqa: T201 - this is where messages leave


def _level(lines: Sequence[str]) -> int:
    word = lines[0].partition(":")[0] if lines else ""
    return {"error": logging.ERROR, "warning": logging.WARNING}.get(word, logging.INFO)


def _message(error: TidegateError) -> list[str]:
    parts = [("error", error.what), ("found", error.found), ("allowed", error.allowed), ("hint", error.hint)]
    return [f"{name + ':':9}{value}" for name, value in parts if value is not None]
