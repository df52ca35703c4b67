"""Secrets in and, for effects only, out: sealed under their tenant's key, each for its own place and version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeAlias

import msgspec

from chassis.audit import nothing_changed
from chassis.clock import Clock
from chassis.crypto.sealing import IntegrityBroken, about, derived, same, seal, tag, unseal
from workflow_service.application.vault.errors import (
    KeyUnusable,
    SecretChanging,
    SecretNotFound,
    SecretUnusable,
)
from workflow_service.application.vault.keys import KeyRing
from workflow_service.application.vault.ports import (
    SecretId,
    SecretRecord,
    SecretRecords,
    VersionMark,
)
from workflow_service.domain.expressions import JsonValue

_ATTEMPTS: Final = 5
_SEALING: Final = "autoworker secrets, sealing, 1"
_MARKING: Final = "autoworker secrets, marks of versions, 1"
_MARKERS: Final = "autoworker secrets, markers in executions, 1"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Telling: TypeAlias = Callable[[SecretId, int], AbstractContextManager[None]]
"""Tells the audit trail of a version of a secret, along with the write that makes it."""


def untold(id: SecretId, version: int) -> AbstractContextManager[None]:
    """Tell nobody."""
    return nullcontext()


class Vault:
    """The ``SecretValues`` port, and what people do with secrets."""

    def __init__(self, records: SecretRecords, keys: KeyRing, clock: Clock, *, most: int) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock
        self._most = most

    async def put(
        self, id: SecretId, value: JsonValue, by: str, telling: Telling = untold
    ) -> SecretRecord:
        """Keep *value*, over what was there; the write is made inside of *telling*.

        Raises:
            TooManySecrets: the tenant has as many as it may have.
            SecretChanging: others change it at the same time.
            KeyUnusable: the tenant's key cannot be unwrapped.
        """
        key = await self._key(id.tenant)
        for _ in range(_ATTEMPTS):
            version = await self._records.last_version(id) + 1
            record = SecretRecord(
                id=id,
                version=version,
                sealed=seal(derived(key, _SEALING), _encode(value), _belongs_to(id, version)),
                updated_at=self._clock.now(),
                updated_by=by,
            )
            mark = VersionMark(version, _mark(key, id, version))
            with telling(id, version):
                kept = await self._records.put(record, mark, most=self._most)
                if not kept:
                    nothing_changed()
            if kept:
                return record
        raise SecretChanging

    async def delete(self, id: SecretId, telling: Telling = untold) -> None:
        """Forget a secret; the write is made inside of *telling*.

        Raises:
            SecretNotFound: there is none.
            SecretChanging: others change it at the same time.
            KeyUnusable: the tenant's key cannot be unwrapped.
        """
        for _ in range(_ATTEMPTS):
            found = await self._records.find(id.tenant, id.owner, [id.name])
            if all(record.id != id for record, _ in found):
                raise SecretNotFound
            version = await self._records.last_version(id) + 1
            # A mark of its own, so that the old record is none if somebody puts it back.
            mark = VersionMark(version, _mark(await self._key(id.tenant), id, version))
            with telling(id, version):
                deleted = await self._records.delete(id, mark)
                if not deleted:
                    nothing_changed()
            if deleted:
                return
        raise SecretChanging

    async def list(
        self, tenant: str, owner: str, limit: int, after: tuple[str, str] | None
    ) -> Sequence[SecretRecord]:
        """Return what *owner* may use, without values."""
        return await self._records.list(tenant, owner, limit, after)

    async def find(self, tenant: str, owner: str, name: str) -> SecretRecord:
        """Return what executions of *owner* know as *name*.

        Raises:
            SecretNotFound: there is none.
        """
        found = _chosen(await self._records.find(tenant, owner, [name]))
        if name not in found:
            raise SecretNotFound
        return found[name][0]

    async def value(self, tenant: str, owner: str, execution: str, name: str) -> JsonValue:
        """See ``SecretValues``."""
        value = (await self.values(tenant, owner, [name]))[name]
        if isinstance(value, SecretUnusable):
            raise value
        return value

    async def values(
        self, tenant: str, owner: str, names: Sequence[str]
    ) -> dict[str, JsonValue | SecretUnusable]:
        """Return the value of each of *names*, or why it cannot be had."""
        found = _chosen(await self._records.find(tenant, owner, names))
        values: dict[str, JsonValue | SecretUnusable] = {
            name: SecretUnusable(name) for name in names
        }
        for name, (record, mark) in found.items():
            try:
                values[name] = _opened(await self._keys.key(tenant), record, mark)
            except IntegrityBroken:
                values[name] = SecretUnusable(name, integrity=True)
        return values

    async def marker_key(self, tenant: str) -> bytes:
        """Return the key that proves markers of the tenant's executions.

        Raises:
            KeyUnusable: the tenant's key cannot be unwrapped.
        """
        return derived(await self._key(tenant), _MARKERS)

    async def _key(self, tenant: str) -> bytes:
        try:
            return await self._keys.key(tenant)
        except IntegrityBroken as broken:
            raise KeyUnusable from broken


def _opened(key: bytes, record: SecretRecord, mark: VersionMark | None) -> JsonValue:
    if (
        mark is None
        or mark.version != record.version
        or not same(mark.tag, _mark(key, record.id, record.version))
    ):
        raise IntegrityBroken("it is not the last version")
    plain = unseal(derived(key, _SEALING), record.sealed, _belongs_to(record.id, record.version))
    value: JsonValue = _decode(plain)
    return value


def _chosen(
    found: Sequence[tuple[SecretRecord, VersionMark | None]],
) -> dict[str, tuple[SecretRecord, VersionMark | None]]:
    """One's own secret hides the tenant's of the same name."""
    return {
        record.id.name: (record, mark)
        for record, mark in sorted(found, key=lambda pair: pair[0].id.owner)
    }


def _belongs_to(id: SecretId, version: int) -> bytes:
    return about(id.tenant, "secrets", id.owner, id.name, "value", version)


def _mark(key: bytes, id: SecretId, version: int) -> bytes:
    return tag(derived(key, _MARKING), about(id.tenant, id.owner, id.name, version))
