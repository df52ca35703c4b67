"""What time itself asks for: keys are rotated, and what has expired is dropped."""

import asyncio
from collections.abc import Awaitable, Callable

from auth_service.application.app import Commands
from auth_service.application.commands.checkpoint_audit import CheckpointAudit
from auth_service.application.commands.purge_audit import PurgeAudit
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.groups.audit import AuditGroup
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

EVERY = 60.0
"""Seconds between two rounds."""

_log = get_logger("auth.housekeeper")


async def keep_house(
    commands: Commands, *more: Callable[[], Awaitable[None]], every: float = EVERY
) -> None:
    """A round now and then, for ever. A store that is away for a while only costs a round."""
    while True:
        await asyncio.sleep(every)
        try:
            await commands.rotate_keys(RotateKeys())
            await commands.purge_expired(PurgeExpired())
            for work in more:
                await work()
        except Unavailable as exc:
            _log.warning("housekeeping_postponed", reason=exc.message)


async def keep_audit(audit: AuditGroup, *, every: float) -> None:
    """Write checkpoints of the audit trail and purge it, for ever; a last checkpoint at the end."""
    try:
        while True:
            await _checkpointed(audit)
            await asyncio.sleep(every)
            await _tried("audit_purge_postponed", audit.purge(PurgeAudit()))
    finally:
        await _checkpointed(audit)


async def _checkpointed(audit: AuditGroup) -> None:
    await _tried("audit_checkpoint_postponed", audit.checkpoint(CheckpointAudit()))


async def _tried(event: str, work: Awaitable[None]) -> None:
    try:
        await work
    except Unavailable as exc:
        _log.warning(event, reason=exc.message)
