"""Compiles protos in a process of their own, which is killed when it takes too long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_SCRIPT: Final = Path(__file__).with_name("compiler.py")
_LONGEST_COMPLAINT: Final = 500


@dataclass(frozen=True, slots=True)
class CompilerLimits:
    """Bounds of one compilation. Sizes are bytes, times are seconds."""

    memory: int = 1024 * 1024 * 1024
    cpu: int = 5
    seconds: float = 10.0
    output: int = 4 * 1024 * 1024
    at_once: int = 2


class ProtoInvalid(Exception):
    """A proto does not compile; the message says why."""


class Compiler:
    """Turns protos into descriptors."""

    def __init__(self, limits: CompilerLimits | None = None) -> None:
        self._limits = limits or CompilerLimits()
        self._places = asyncio.Semaphore(self._limits.at_once)

    async def compiled(self, name: str, files: Mapping[str, bytes]) -> bytes:
        """Return the descriptors, as a serialised ``FileDescriptorSet``, of *name* and all that it imports.

        Args:
            name: which of *files* is meant.
            files: the protos by the names under which they are imported; all are relative and stay below their
                folder, whoever calls sees to that.

        Raises:
            ProtoInvalid: they do not compile, or not within the bounds.
        """
        async with self._places:
            with TemporaryDirectory(prefix="autoworker-proto-") as place:
                folder = Path(place)
                await asyncio.to_thread(_write, folder / "protos", files)
                await self._run(folder, name)
                return await asyncio.to_thread((folder / "descriptors").read_bytes)

    async def _run(self, folder: Path, name: str) -> None:
        limits = self._limits
        # Forked and executed in one step: a forked copy of a process that runs gRPC would hang.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(_SCRIPT), str(folder), name),
            *(str(limits.memory), str(limits.cpu), str(limits.output)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd=folder,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limits.seconds):
                _, complaints = await process.communicate()
        except TimeoutError:
            raise ProtoInvalid(f"the proto does not compile within {limits.seconds:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                _ = await process.wait()
        if process.returncode != 0:
            raise ProtoInvalid(f"the proto does not compile: {_readable(complaints, folder)}")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _readable(complaints: bytes, folder: Path) -> str:
    """What protoc said last, without the folders of this machine."""
    said = complaints.decode(errors="replace").strip()
    if "Traceback" in said or not said:
        return "it takes more memory or time than it may"
    return said.replace(f"{folder / 'protos'}/", "")[:_LONGEST_COMPLAINT]
