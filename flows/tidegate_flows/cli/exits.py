"""Exit codes: 0 passed · 1 stopped · 2 wrong command, contract or option · 3 no verdict."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence

import typer

from tidegate_contracts.errors import TidegateError
from tidegate_flows.plain import plain

PASSED, STOPPED, WRONG, NO_VERDICT = 0, 1, 2, 3
_INTERRUPTED = 130
_logger = logging.getLogger("tidegate.cli")
_as_logs = False

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
            error.show(file=sys.stderr)  # type: ignore[attr-defined] # every ClickException has it
            return WRONG
        if _as_logs:
            _logger.exception("a bug")
        else:
            traceback.print_exc(file=sys.stderr)
        say("error: this is a bug in tidegate; nothing was published by this command after it")
        return NO_VERDICT
    if code == _INTERRUPTED:  # newer versions of typer catch the signal themselves
        return _interrupted()
    return int(code) if isinstance(code, int) else PASSED


def _interrupted() -> int:
    say("interrupted; what was decided is kept, nothing else was published: run the same command again to go on")
    return _INTERRUPTED


def messages_as_logs() -> None:
    """From now on what is said goes the way of logs, where these are for machines."""
    global _as_logs  # one command is one process
    _as_logs = True


def say(*lines: str) -> None:
    """Write lines to stderr; a name or value from outside cannot make another line, or move the cursor."""
    if _as_logs:
        _logger.warning("%s", "; ".join(" ".join(plain(line).split()) for line in lines))
        return
    for line in lines:
        print(plain(line), file=sys.stderr)  # noqa: T201 - this is where messages leave


def _message(error: TidegateError) -> list[str]:
    parts = [("error", error.what), ("found", error.found), ("allowed", error.allowed), ("hint", error.hint)]
    return [f"{name + ':':9}{value}" for name, value in parts if value is not None]
