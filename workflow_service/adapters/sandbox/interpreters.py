"""Where the interpreters of scripts are, as seen from inside the sandbox."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workflow_service.adapters.sandbox.cages import Cage
from workflow_service.adapters.sandbox.command import Command, SandboxError
from workflow_service.adapters.sandbox.running import run

_PLACES: Final = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs scripts."""

    program: tuple[str, ...]
    """Its beginning of the argument vector."""
    readable: tuple[str, ...] = ()
    """Folders that it needs besides the system's."""


async def python(cage: Cage, chosen: str | None = None) -> Interpreter | None:
    """Return the Python that works in *cage*: the *chosen* one, the newest of the system's, or the service's own."""
    for path, home in _pythons(chosen):
        found = Interpreter((path, "-I", "-B"), home)
        if await _works(cage, found, ("-c", "pass")):
            return found
    return None


async def javascript(cage: Cage, chosen: str | None = None) -> Interpreter | None:
    """Return the Node.js that works in *cage*: the *chosen* one, or the one on the path."""
    path = chosen or shutil.which("node", path=_PLACES) or shutil.which("node")
    if path is None:
        return None
    found = Interpreter((path,), _home(path))
    return found if await _works(cage, found, ("-e", "0")) else None


def _pythons(chosen: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if chosen is not None:
        yield chosen, _home(chosen)
        return
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3"):
        path = shutil.which(name, path=_PLACES)
        if path is not None:
            yield path, ()
    yield str(Path(sys.base_prefix, "bin", "python3")), _outside_of_system(sys.base_prefix)


def _home(path: str) -> tuple[str, ...]:
    """Return the folder that an installation elsewhere consists of: the one with its ``bin`` in it."""
    return _outside_of_system(str(Path(path).resolve().parent.parent))


def _outside_of_system(folder: str) -> tuple[str, ...]:
    return () if Path(folder).is_relative_to("/usr") or folder == "/" else (folder,)


async def _works(cage: Cage, interpreter: Interpreter, nothing: tuple[str, ...]) -> bool:
    command = Command((*interpreter.program, *nothing), readable=interpreter.readable)
    try:
        async with asyncio.timeout(20):
            return (await run(cage, command)).code == 0
    except (SandboxError, TimeoutError):
        return False
