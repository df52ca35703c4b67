"""Checkpoints of the audit trail in a file of their own, one a line; it ought to be on another disk, or be shipped away."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from auth_service.application.ports.audit import Checkpoint
from auth_service.domain.audit import ChainKeys, Place
from chassis.crypto.sealing import about, same, tag
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

NAME = "audit-checkpoints.ndjson"

_log = get_logger("auth.audit")


class _Line(msgspec.Struct, frozen=True):
    at: datetime
    places: list[tuple[str, int, str]]
    """Tenant, sequence, link."""
    mark: str


class CheckpointFile:
    """The port `Checkpoints`; the same is logged, for those who collect logs elsewhere. Processes may share the folder.

    Args:
        folder: where the file is; made when it is missing.
        keys: prove checkpoints.
    """

    def __init__(self, folder: Path, keys: ChainKeys) -> None:
        self._path = folder / NAME
        self._key = keys.checkpoints

    async def write(self, checkpoint: Checkpoint) -> None:
        """See the port."""
        places = [(tenant, place.sequence, place.link.hex()) for tenant, place in checkpoint.places]
        mark = _mark(self._key, checkpoint.at, places).hex()
        line = msgspec.json.encode(_Line(checkpoint.at, places, mark)) + b"\n"
        for tenant, sequence, link in places:
            _log.info("audit_checkpoint", tenant=tenant, sequence=sequence, link=link)
        try:
            await asyncio.to_thread(_append, self._path, line)
        except OSError as exc:
            raise Unavailable(f"checkpoints of the audit trail cannot be written: {exc}") from exc

    async def read(self) -> tuple[Sequence[Checkpoint], str]:
        """See the port."""
        return await asyncio.to_thread(self.read_now)

    def read_now(self) -> tuple[Sequence[Checkpoint], str]:
        """The same, at once."""
        found = list[Checkpoint]()
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return found, ""
        for number, text in enumerate(lines, 1):
            # A crash may have cut the last line short: that is nobody's doing.
            if text and (number < len(lines)):
                checkpoint = _read(self._key, text)
                if checkpoint is None:
                    return found, f"line {number} of {self._path} is not one of ours"
                found.append(checkpoint)
        return found, ""


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # Another process may be in the middle of its line, which would look like one that a crash cut short.
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            os.ftruncate(handle, os.pread(handle, size, 0).rfind(b"\n") + 1)
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(key: bytes, text: bytes) -> Checkpoint | None:
    try:
        line = msgspec.json.decode(text, type=_Line)
        if not same(bytes.fromhex(line.mark), _mark(key, line.at, line.places)):
            return None
        places = tuple(
            (tenant, Place(sequence, bytes.fromhex(link))) for tenant, sequence, link in line.places
        )
    except (msgspec.DecodeError, ValueError):
        return None
    return Checkpoint(line.at, places)


def _mark(key: bytes, at: datetime, places: Sequence[tuple[str, int, str]]) -> bytes:
    return tag(key, about(at.isoformat(), msgspec.json.encode(places).decode()))
