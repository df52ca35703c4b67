"""The processes under measurement: `benchmarks.serve` in one of its roles."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
START = 60.0
"""Seconds that a process may take to be ready."""


class Usage(msgspec.Struct, frozen=True):
    """What a process has used."""

    cpu: float
    """Seconds since it began."""
    rss: int
    """Bytes that it holds now."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process, and where its services listen."""

    process: asyncio.subprocess.Process
    addresses: dict[str, str]

    async def usage(self) -> Usage:
        """What it has used until now."""
        if self.process.stdin is None:
            raise RuntimeError("no pipe")
        self.process.stdin.write(b"usage\n")
        return msgspec.json.decode(await _line(self.process), type=Usage)

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def place(role: str, *arguments: str) -> AsyncIterator[Place]:
    """A process in that *role*, ready; leaving the block stops it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.serve", role, *arguments,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        # Logs are written, as in earnest, and thrown away.
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        line = await asyncio.wait_for(_line(process), START)
        yield Place(process, msgspec.json.decode(line, type=dict[str, str]))
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def slowed(share: float, places: Sequence[Place]) -> AsyncIterator[None]:
    """Let each of *places* run for that *share* of the time only; 1: always."""
    if share >= 1:
        yield
        return
    processes = [str(each.process.pid) for each in places]
    slowing = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.slowed", str(share), *processes,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield
    finally:
        if slowing.stdin is not None:
            slowing.stdin.close()
        await slowing.wait()


async def _line(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise RuntimeError("no pipe")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process under measurement died; run `python -m benchmarks.serve`")
    return line
