"""The keys of tenants: each wrapped by the operator's key, and wrapped anew when that changes."""

from __future__ import annotations

from typing import Final

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import IntegrityBroken, about, new_key, seal, unseal
from chassis.telemetry.logging import get_logger
from workflow_service.application.vault.ports import TenantKeys, WrappedKey

_log = get_logger("workflow_service.secrets")
_BATCH: Final = 100


class KeyRing:
    """Gives the key of a tenant's data."""

    def __init__(self, wrapping: WrappingKeys, stored: TenantKeys) -> None:
        self._wrapping = wrapping
        self._stored = stored
        self._known: dict[str, tuple[WrappedKey, bytes]] = {}

    async def key(self, tenant: str) -> bytes:
        """Return the tenant's key, made now when it has none.

        Raises:
            IntegrityBroken: it cannot be unwrapped: the operator's key is missing, or it was tampered with.
            Unavailable: the store cannot be read or written now.
        """
        stored = await self._stored.get(tenant)
        if stored is None:
            stored = await self._stored.add(self._wrapped(tenant, new_key()))
        known = self._known.get(tenant)
        if known is None or known[0] != stored:
            known = (stored, self._unwrapped(stored))
            self._known[tenant] = known
        return known[1]

    async def rewrap(self) -> None:
        """Wrap every key anew that an older key of the operator wraps.

        What is done is done: after a crash it goes on with the rest.
        """
        done = 0
        while left := await self._stored.wrapped_by_others(self._wrapping.current, _BATCH):
            broken = 0
            for old in left:
                try:
                    new = self._wrapped(old.tenant, self._unwrapped(old))
                except IntegrityBroken:
                    broken += 1
                    _log.error("secrets_key_unusable", tenant=old.tenant, wrapped_by=old.wrapped_by)
                    continue
                await self._stored.rewrap(old, new)
                done += 1
            if broken:
                break
        if done:
            _log.info("secrets_rewrapped", tenants=done, wrapped_by=self._wrapping.current)

    def _wrapped(self, tenant: str, key: bytes) -> WrappedKey:
        current = self._wrapping.current
        sealed = seal(self._wrapping.keys[current], key, _belongs_to(tenant, current))
        return WrappedKey(tenant, current, sealed)

    def _unwrapped(self, stored: WrappedKey) -> bytes:
        wrapping = self._wrapping.keys.get(stored.wrapped_by)
        if wrapping is None:
            raise IntegrityBroken(f"the key {stored.wrapped_by} is not in the file of keys")
        return unseal(wrapping, stored.sealed, _belongs_to(stored.tenant, stored.wrapped_by))


def _belongs_to(tenant: str, wrapped_by: str) -> bytes:
    return about(tenant, "tenant_keys", tenant, "sealed", wrapped_by)
