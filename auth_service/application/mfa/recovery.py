"""Making recovery codes."""

from dataclasses import dataclass

from auth_service.application.ports import Randomness
from auth_service.application.ports.mfa import RecoveryCodes
from auth_service.domain.mfa.codes import (
    RECOVERY_CODES,
    RECOVERY_NOISE,
    recovery_code,
    recovery_digest,
)
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class RecoveryCodeMaker:
    """Gives users new recovery codes; the store keeps only their digests."""

    recovery: RecoveryCodes
    randomness: Randomness
    clock: Clock

    async def renew(self, user_id: str) -> tuple[str, ...]:
        """Ten codes, each good once; every older one is void."""
        codes = tuple(
            recovery_code(self.randomness.token_bytes(RECOVERY_NOISE))
            for _ in range(RECOVERY_CODES)
        )
        digests = [recovery_digest(user_id, code.replace("-", "")) for code in codes]
        await self.recovery.replace(user_id, digests, self.clock.now())
        return codes
