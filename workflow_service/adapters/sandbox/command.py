"""What is run in the sandbox, within which bounds, and what can go wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_MEBIBYTE: Final = 1024 * 1024

WORK: Final = "/work"
"""The working directory inside: empty at first, gone afterwards."""


class SandboxError(Exception):
    """Why a command was not run to its end.

    ├── SandboxUnusable  nothing can be sandboxed on this machine
    ├── SandboxBroken    this command could not be started
    ├── CommandInvalid   the command cannot be handed over
    ├── CommandTimedOut  it was killed, since it took too long
    └── OutputTooLong    it was killed, since it wrote too much
    """


class SandboxUnusable(SandboxError):
    """The sandbox cannot be used on this machine; the message says what to do."""


class SandboxBroken(SandboxError):
    """The sandbox was not put up, so the command was not started."""


class CommandInvalid(SandboxError):
    """An argument, a variable or the input cannot be handed to a process."""


class CommandTimedOut(SandboxError):
    """The command did not end in time; everything that it started was killed."""


class OutputTooLong(SandboxError):
    """The command wrote more than is kept; everything that it started was killed."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds of one command. Times are seconds, sizes bytes."""

    seconds: float = 300.0
    """From its start to its end, by the clock on the wall."""
    cpu_seconds: int = 60
    """Of each process."""
    memory: int = 512 * _MEBIBYTE
    """Data of each process."""
    total_memory: int = 1024 * _MEBIBYTE
    """Of all that belongs to the command, its files in memory included, where there are control groups."""
    processes: int = 64
    """Processes and threads at the same time."""
    open_files: int = 256
    disk: int = 64 * _MEBIBYTE
    """Of each folder that it may write to; they are in memory."""
    input: int = _MEBIBYTE
    output: int = _MEBIBYTE
    """Of each of standard output and standard error."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: an argument vector, never a line for a shell to take apart."""

    program: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside PATH, HOME, LANG and TMPDIR; nothing of the service's own."""
    stdin: bytes | None = None
    """None: there is nothing to read."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Content by name; the command reads it, and cannot change it, in the folder `FILES`."""
    readable: tuple[str, ...] = ()
    """Folders of the machine that it may read besides the system's."""


FILES: Final = "/command"
"""The folder of `Command.files` inside."""

BASE_ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": WORK,
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
}


def check(command: Command, limits: SandboxLimits) -> None:
    """Find out whether *command* can be handed to a process.

    Raises:
        CommandInvalid: it cannot; the message says why and shows no value.
    """
    for argument in command.program:
        _check_text(argument, "an argument")
    for name, value in command.environment.items():
        if not name or "=" in name:
            raise CommandInvalid(f"{name[:80]!r} cannot be the name of an environment variable")
        if _LOADS_CODE.match(name):
            told = f"{name[:80]} decides what code programs load: set it in the command itself"
            raise CommandInvalid(told)
        _check_text(name, "the name of an environment variable")
        _check_text(value, f"the environment variable {name[:80]}")
    if command.stdin is not None and len(command.stdin) > limits.input:
        raise CommandInvalid(f"standard input may have at most {limits.input} bytes")


_LOADS_CODE: Final = re.compile(r"LD_|GLIBC_TUNABLES$|GCONV_PATH$|LOCPATH$|NLSPATH$")
"""Variables by which code of an author would run in the program that bounds the command, before it is bounded."""

_LONGEST: Final = 128 * 1024 - 1
"""Bytes of one argument or variable that Linux hands over."""


def _check_text(text: str, what: str) -> None:
    if "\0" in text:
        raise CommandInvalid(f"{what} has a NUL character, which no process can be given")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise CommandInvalid(f"{what} is not valid Unicode") from None
    if size > _LONGEST:
        raise CommandInvalid(f"{what} has more than {_LONGEST} bytes: use standard input")
