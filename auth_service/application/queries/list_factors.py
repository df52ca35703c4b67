"""ListFactors and ListDevices: what users have set up."""

from dataclasses import dataclass, replace

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports.mfa import Devices, Factors, RecoveryCodes
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor, FactorKind
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class ListFactors:
    """The caller's own factors."""

    session_id: str


@dataclass(frozen=True, slots=True)
class OwnFactors:
    """Those that count, and how many recovery codes are unused."""

    factors: tuple[Factor, ...]
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class ListDevices:
    """The caller's own remembered devices."""

    tenant: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ListFactorsHandler:
    """Raises `SessionOver`."""

    live: LiveSessions
    factors: Factors
    recovery: RecoveryCodes

    async def __call__(self, query: ListFactors) -> OwnFactors:
        user = (await self.live.require(query.session_id)).user
        factors = tuple(
            # Mail always goes to the address of today.
            replace(each, target=user.email.text) if each.kind is FactorKind.EMAIL else each
            for each in await self.factors.confirmed(user.id)
        )
        return OwnFactors(factors, await self.recovery.left(user.id))


@dataclass(frozen=True, slots=True)
class ListDevicesHandler:
    """The latest used first."""

    devices: Devices
    clock: Clock

    async def __call__(self, query: ListDevices) -> tuple[Device, ...]:
        return await self.devices.list(query.tenant, query.user_id, self.clock.now())
