"""RotateKeys: signing keys come, sign for their time, and go."""

import asyncio
from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.ports import Audit, SigningKeys, Tokens
from auth_service.domain.signing_key import KeySchedule, KeyUse, key_due
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class RotateKeys:
    """Make the keys that are due; doing it again, or in two places at once, makes no more."""


@dataclass(frozen=True, slots=True)
class RotateKeysHandler:
    """Also takes over the keys that another replica made."""

    keys: SigningKeys
    ring: KeyRing
    tokens: Tokens
    schedule: KeySchedule
    audit: Audit
    clock: Clock

    async def __call__(self, command: RotateKeys) -> None:
        known = await self.keys.all()
        now = self.clock.now()
        for use in KeyUse:
            due = key_due(use, known, self.schedule, now)
            if due is None:
                continue
            # An RSA key takes a quarter of a second to find, during which others want answers.
            pair = await asyncio.to_thread(self.tokens.new_pair, use)
            key = due.filled_with(pair)
            with self.audit.along("signing_key_created", kid=key.kid, use=use.value):
                await self.keys.add(key)
        await self.ring.reload()
