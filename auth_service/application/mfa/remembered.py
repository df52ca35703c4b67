"""Remembered devices: who has given a second factor there is not asked for it again."""

from dataclasses import dataclass

from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.mfa import Devices
from auth_service.domain.mfa.codes import (
    DEVICE_LIFE,
    DEVICE_NOISE,
    device_digest,
    device_token,
)
from auth_service.domain.mfa.devices import Device
from auth_service.domain.session import Origin
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class RememberedDevices:
    """Gives devices their tokens. A token is good once; its use gives the next one."""

    devices: Devices
    randomness: Randomness
    audit: Audit
    clock: Clock
    ids: Ids

    async def remember(self, user: User, origin: Origin) -> str:
        """The token of a device that is remembered from now on, for 30 days."""
        token, digest = self._fresh()
        now = self.clock.now()
        device = Device(
            id=self.ids.new(),
            user_id=user.id,
            tenant=user.tenant,
            digest=digest,
            address=origin.address,
            user_agent=origin.user_agent,
            created_at=now,
            last_used_at=now,
            expires_at=now + DEVICE_LIFE,
        )
        await self.devices.add(device)
        self.audit.record("device_remembered", tenant=user.tenant, actor=user.id, target=device.id)
        return token

    async def recognise(self, user: User, token: str) -> str | None:
        """The next token of the device that *token* is of; None if it is no device of the user."""
        digest = device_digest(token)
        if digest is None:
            return None
        successor, kept = self._fresh()
        device = await self.devices.rotate(user.id, digest, kept, self.clock.now())
        if device is None:
            self.audit.record("device_refused", tenant=user.tenant, actor=user.id)
            return None
        return successor

    def _fresh(self) -> tuple[str, bytes]:
        token = device_token(self.randomness.token_bytes(DEVICE_NOISE))
        digest = device_digest(token)
        if digest is None:
            raise AssertionError("a device token is one")
        return token, digest
