"""Runs a command to its end and keeps what it wrote."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from chassis.telemetry.logging import get_logger
from workflow_service.adapters.sandbox.cages import Cage
from workflow_service.adapters.sandbox.children import Child, started
from workflow_service.adapters.sandbox.command import (
    Command,
    CommandTimedOut,
    OutputTooLong,
    SandboxBroken,
)

_log = get_logger("workflow_service.sandbox")

_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    code: int
    """Its exit code; 128 + n when signal n ended it."""
    stdout: bytes
    stderr: bytes


async def run(cage: Cage, command: Command) -> Finished:
    """Run *command* to its end; being cancelled kills it.

    Raises:
        CommandInvalid: it cannot be handed to a process.
        CommandTimedOut: it took longer than its limit.
        OutputTooLong: it wrote more than its limit.
        SandboxBroken: it could not be started.
    """
    limits = cage.limits
    async with started(cage, command) as child:
        try:
            async with asyncio.timeout(limits.seconds):
                return await _finished(child, command.stdin, limits.output)
        except TimeoutError:
            told = f"the process was ended after {limits.seconds:g} s"
            raise CommandTimedOut(told) from None


async def _finished(child: Child, stdin: bytes | None, most: int) -> Finished:
    try:
        async with asyncio.TaskGroup() as group:
            _ = group.create_task(_fed(child, stdin))
            stdout = group.create_task(_kept(child.stdout, "standard output", most))
            stderr = group.create_task(_kept(child.stderr, "standard error", most))
            code = group.create_task(_ended(child, stderr))
    except* OutputTooLong as failures:
        raise failures.exceptions[0] from None
    except* SandboxBroken as failures:
        raise failures.exceptions[0] from None
    return Finished(code.result(), stdout.result(), stderr.result())


async def _fed(child: Child, stdin: bytes | None) -> None:
    # Whoever does not read its input has closed the pipe: no error of ours.
    with suppress(BrokenPipeError, ConnectionResetError):
        if stdin:
            child.stdin.write(stdin)
            await child.stdin.drain()
        child.stdin.close()
        await child.stdin.wait_closed()


async def _kept(stream: asyncio.StreamReader, what: str, most: int) -> bytes:
    kept = bytearray()
    while block := await stream.read(_BLOCK):
        kept += block
        if len(kept) > most:
            raise OutputTooLong(f"the process wrote more than {most} bytes to its {what}")
    return bytes(kept)


async def _ended(child: Child, stderr: asyncio.Task[bytes]) -> int:
    try:
        code = await child.wait()
    except SandboxBroken:
        _log.error("sandbox_broken", reason=(await stderr)[-500:].decode(errors="replace"))
        raise
    child.kill()  # what it left behind, where there is no sandbox to end with it
    return code
