"""RecordKeyUses: a gateway tells how often API keys were used, now and then and in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.ports import ApiKeys
from auth_service.domain.api_key import KeyUsage


@dataclass(frozen=True, slots=True)
class RecordKeyUses:
    """Count *uses*; a report that comes twice under one *sequence* counts once."""

    reporter: str
    sequence: int
    uses: Sequence[KeyUsage]


@dataclass(frozen=True, slots=True)
class RecordKeyUsesHandler:
    """Uses of keys that are gone meanwhile are dropped."""

    keys: ApiKeys

    async def __call__(self, command: RecordKeyUses) -> None:
        await self.keys.record(command.reporter, command.sequence, command.uses)
