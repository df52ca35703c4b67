"""What the end of a process is for its task.

The reference says what each ``return`` outputs, and nothing of exit codes other than 0. Who asks for ``code`` or ``all``
looks at the code, so there it is output; for everybody else a process that says it failed has failed: a runtime error.
"""

from __future__ import annotations

import signal
from typing import Final

from workflow_service.adapters.sandbox import (
    CommandInvalid,
    CommandTimedOut,
    Finished,
    OutputTooLong,
    SandboxError,
)
from workflow_service.domain.definition.processes import Returns
from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import Problem, configuration, runtime, timeout

_TOLD: Final = 500
"""Characters of standard error that an error shows: the last ones, which say most."""


def outcome_of(finished: Finished, returns: Returns) -> Outcome:
    """Return what *finished* comes to."""
    stdout, stderr = _text(finished.stdout), _text(finished.stderr)
    match returns:
        case "code":
            return Succeeded(finished.code)
        case "all":
            return Succeeded({"code": finished.code, "stdout": stdout, "stderr": stderr})
        case _ if finished.code:
            return Failed(failed(finished))
        case "stdout":
            return Succeeded(stdout)
        case "stderr":
            return Succeeded(stderr)
        case "none":
            return Succeeded(None)


def failed(finished: Finished) -> Problem:
    """Return the problem of a process that ended with another code than 0."""
    said = _text(finished.stderr).strip()[-_TOLD:]
    return runtime(f"the process ended with {_ending(finished.code)}{f': {said}' if said else ''}")


def problem_of(error: SandboxError) -> Problem:
    """Return the problem of a process that was not run to its end."""
    match error:
        case CommandInvalid():
            return configuration(str(error))
        case CommandTimedOut():
            return timeout(f"{error}; AUTOWORKER_RUN_TIMEOUT says how long one may take")
        case OutputTooLong():
            return runtime(f"{error}; AUTOWORKER_RUN_OUTPUT_BYTES says how much it may write")
        case _:
            return runtime("the process could not be started; the service's log says why")


def _ending(code: int) -> str:
    try:
        name = signal.Signals(code - 128).name if code > 128 else ""
    except ValueError:
        name = ""
    return f"exit code {code}{f' ({name})' if name else ''}"


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")
