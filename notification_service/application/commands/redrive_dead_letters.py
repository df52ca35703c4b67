"""Offer again what was given up."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.errors import ServiceError
from notification_service.application.dead_letter_ports import DeadLetters, Redeliver
from notification_service.application.dead_letters import delivery_in, event_in
from notification_service.application.ports import Effect, EventKey, Intake
from notification_service.domain.dead_letter import (
    DeadLetterFilter,
    DeadLetterKind,
    KeptDeadLetter,
)
from notification_service.domain.errors import DeadLetterNotFound

SOURCE = "/autoworker/notification/dead-letters"


@dataclass(frozen=True, slots=True)
class RedriveDeadLetters:
    """Offer dead letters of *tenant* again: those with *ids*, else those that are *wanted*, the newest first.

    A *dry_run* only says which; *limit* bounds how many; *by* says who asked.
    """

    tenant: str
    ids: Sequence[str]
    wanted: DeadLetterFilter
    limit: int
    dry_run: bool
    by: str


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of them, by id; those that failed with the reason stay."""

    done: Sequence[str]
    failed: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RedriveDeadLettersHandler:
    """Handles `RedriveDeadLetters`.

    A letter goes when what it holds is safe with whoever is to have it. After a crash in between it
    is still there, and offering it again changes nothing: events and deliveries are known by their ids.
    """

    letters: DeadLetters
    redeliver: Redeliver
    intake: Intake
    audit: Audit
    clock: Clock
    rate: float
    """How many a second, so that whoever failed under load is not buried again."""
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    async def __call__(self, command: RedriveDeadLetters) -> Redriven:
        """Offer them again, one after the other.

        Raises:
            DeadLetterNotFound: one of the ids is of no letter, or of another tenant's.
        """
        chosen = await self._chosen(command)
        refused = [
            (k.letter.id, "it is not known who sent it, or it cannot be sent")
            for k in chosen
            if not k.letter.redrivable
        ]
        able = [kept for kept in chosen if kept.letter.redrivable]
        if command.dry_run:
            return Redriven([kept.letter.id for kept in able], refused)
        done: list[str] = []
        for number, kept in enumerate(able):
            if number:
                await self.pause(1 / self.rate)
            try:
                await self._offer(kept)
            except ServiceError as exc:
                refused.append((kept.letter.id, exc.message))
                continue
            told = self.audit.along(
                "dead_letter_redriven",
                tenant=command.tenant,
                actor=command.by,
                target=kept.letter.id,
            )
            with told:
                _ = await self.letters.remove(command.tenant, kept.letter.id)
            done.append(kept.letter.id)
        return Redriven(done, refused)

    async def _chosen(self, command: RedriveDeadLetters) -> list[KeptDeadLetter]:
        if not command.ids:
            found = await self.letters.page(
                command.tenant, command.wanted, before=None, limit=command.limit
            )
            return list(found)
        chosen: list[KeptDeadLetter] = []
        for letter_id in dict.fromkeys(command.ids):
            kept = await self.letters.get(command.tenant, letter_id)
            if kept is None:
                raise DeadLetterNotFound(letter_id)
            chosen.append(kept)
        return chosen[: command.limit]

    async def _offer(self, kept: KeptDeadLetter) -> None:
        letter = kept.letter
        match letter.kind:
            case DeadLetterKind.EVENT:
                await self.redeliver(letter.subscription, event_in(letter))
            case DeadLetterKind.DELIVERY:
                pending = delivery_in(letter, self.clock.now())
                key = EventKey(SOURCE, f"{letter.id}/{kept.position}/{kept.times}")
                _ = await self.intake.settle(key, Effect(pending=pending))
