"""Shell lines and scripts as commands for the sandbox.

The line of a shell is its author's: it is handed to the shell as one argument, and what goes with it as others. No line is
ever put together here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workflow_service.adapters.sandbox import FILES, Command, Interpreter
from workflow_service.application.resource_ports import ResourceFailed, Resources
from workflow_service.domain.definition.processes import Language
from workflow_service.domain.execution.effects import ScriptCall, ShellCall
from workflow_service.domain.execution.problem import Raised, configuration

KEY: Final = "AUTOWORKER_IDEMPOTENCY_KEY"
"""The variable by which a process recognises that it is run once more for the same task."""

_NAMES: Final[Mapping[Language, str]] = {"js": "script.js", "python": "script.py"}
_MISSING: Final[Mapping[Language, str]] = {
    "js": "JavaScript needs Node.js, which is not installed where the service runs",
    "python": "Python scripts need a Python that the sandbox can read; AUTOWORKER_RUN_PYTHON names one",
}


@dataclass(frozen=True, slots=True)
class Commands:
    """What scripts are run by, and where those come from that stand elsewhere."""

    interpreters: Mapping[Language, Interpreter]
    resources: Resources

    async def of(self, call: ShellCall | ScriptCall, key: str) -> Command:
        """Return the command that *call* asks for.

        Raises:
            Raised: its language is not there, or its source cannot be had.
        """
        environment = {KEY: key, **call.environment}
        stdin = None if call.stdin is None else call.stdin.encode("utf-8", errors="replace")
        if isinstance(call, ShellCall):
            program = ("/bin/sh", "-c", call.command, "sh", *call.arguments)
            return Command(program, environment, stdin)
        interpreter = self.interpreters.get(call.language)
        if interpreter is None:
            raise Raised(configuration(_MISSING[call.language]))
        name = _NAMES[call.language]
        return Command(
            program=(*interpreter.program, f"{FILES}/{name}", *call.arguments),
            environment=environment,
            stdin=stdin,
            files={name: await self._code(call)},
            readable=interpreter.readable,
        )

    async def _code(self, call: ScriptCall) -> bytes:
        if call.source is None:
            return call.code.encode("utf-8", errors="replace")
        try:
            return (await self.resources.fetch(call.source, tenant=call.tenant)).content
        except ResourceFailed as exc:
            raise Raised(exc.problem) from exc
