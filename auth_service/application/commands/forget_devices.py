"""ForgetDevice and ForgetDevices: the second factor is asked for there again."""

from dataclasses import dataclass

from auth_service.application.ports import Audit
from auth_service.application.ports.mfa import Devices
from auth_service.domain.mfa.errors import DeviceNotFound


@dataclass(frozen=True, slots=True)
class ForgetDevice:
    """Forget one of the caller's own devices."""

    tenant: str
    user_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class ForgetDevices:
    """Forget all devices of the caller."""

    tenant: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ForgetDeviceHandler:
    """Raises `DeviceNotFound`."""

    devices: Devices
    audit: Audit

    async def __call__(self, command: ForgetDevice) -> None:
        if not await self.devices.forget(command.tenant, command.user_id, command.device_id):
            raise DeviceNotFound
        self.audit.record(
            "device_forgotten",
            tenant=command.tenant,
            actor=command.user_id,
            target=command.device_id,
        )


@dataclass(frozen=True, slots=True)
class ForgetDevicesHandler:
    """Forgetting when there is none changes nothing."""

    devices: Devices
    audit: Audit

    async def __call__(self, command: ForgetDevices) -> None:
        await self.devices.forget_all(command.user_id)
        self.audit.record("devices_forgotten", tenant=command.tenant, actor=command.user_id)
