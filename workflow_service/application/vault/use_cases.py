"""What people do with secrets: set, look at what there is, delete. No answer has a value."""

from __future__ import annotations

import base64
import binascii
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from chassis.audit import Audit
from chassis.errors import FieldProblem, Invalid
from workflow_service.application.ports import Page
from workflow_service.application.vault.ports import SecretId, SecretRecord
from workflow_service.application.vault.vault import Vault
from workflow_service.domain.bounds import beyond
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_values import NAME, problems_of

_encode = msgspec.json.Encoder().encode
_places: Final = msgspec.json.Decoder(tuple[str, str])


class SecretShown(msgspec.Struct, frozen=True, kw_only=True):
    """All that is ever told of a secret."""

    name: str
    version: int
    shared: bool
    """Whether it is the whole tenant's and not one's own."""
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything under /v1/secrets; *owner* is the user who asks."""

    vault: Vault
    audit: Audit
    value_bytes: int

    async def put(
        self, tenant: str, owner: str, name: str, value: JsonValue, shared: bool
    ) -> SecretShown:
        """Set a secret; effects that are performed from now on get the new value.

        Raises:
            Invalid: name or value break rules.
            TooManySecrets: the tenant has as many as it may have.
            SecretChanging: others change it at the same time.
            KeyUnusable: the tenant's key cannot be unwrapped.
        """
        _check_name(name)
        self._check_value(value)
        id = SecretId(tenant, "" if shared else owner, name)
        return _shown(
            await self.vault.put(id, value, owner, partial(self._telling, "secret_set", owner))
        )

    async def get(self, tenant: str, owner: str, name: str) -> SecretShown:
        """Tell of the secret that one's executions know as *name*.

        Raises:
            SecretNotFound: there is none.
        """
        return _shown(await self.vault.find(tenant, owner, name))

    async def delete(self, tenant: str, owner: str, name: str, shared: bool) -> None:
        """Forget a secret: effects that are performed from now on do not get it.

        Raises:
            SecretNotFound: there is none.
            SecretChanging: others change it at the same time.
            KeyUnusable: the tenant's key cannot be unwrapped.
        """
        id = SecretId(tenant, "" if shared else owner, name)
        await self.vault.delete(id, partial(self._telling, "secret_deleted", owner))

    async def list(
        self, tenant: str, owner: str, limit: int, cursor: str | None
    ) -> Page[SecretShown]:
        """Tell of all that one's executions may use.

        Raises:
            Invalid: the cursor is none of ours.
        """
        found = await self.vault.list(tenant, owner, limit + 1, _place_of(cursor))
        shown = tuple(_shown(record) for record in found[:limit])
        more = len(found) > limit
        return Page(shown, _cursor_after(found[limit - 1]) if more else None)

    def _telling(
        self, event: str, by: str, id: SecretId, version: int
    ) -> AbstractContextManager[None]:
        return self.audit.along(
            event, tenant=id.tenant, target=id.name, shared=not id.owner, version=version, actor=by
        )

    def _check_value(self, value: JsonValue) -> None:
        problems = [
            FieldProblem(f"value{pointer}", message) for pointer, message in problems_of(value)
        ]
        if not problems and len(_encode(value)) > self.value_bytes:
            told = beyond(f"is larger than {self.value_bytes} bytes", "secret_bytes")
            problems = [FieldProblem("value", told)]
        if problems:
            raise Invalid("the secret cannot be kept", details=problems)


def _check_name(name: str) -> None:
    if NAME.fullmatch(name) is None:
        problem = "must be up to 128 letters, digits, '_', '-' and '.', the first one no '-' or '.'"
        raise Invalid("the secret cannot be kept", details=[FieldProblem("name", problem)])


def _shown(record: SecretRecord) -> SecretShown:
    return SecretShown(
        name=record.id.name,
        version=record.version,
        shared=not record.id.owner,
        updated_at=record.updated_at,
        updated_by=record.updated_by,
    )


def _cursor_after(record: SecretRecord) -> str:
    place = (record.id.name, record.id.owner)
    return base64.urlsafe_b64encode(_encode(place)).decode().rstrip("=")


def _place_of(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return _places.decode(text)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        problem = FieldProblem("cursor", "is none that a list of secrets returned")
        raise Invalid("the list cannot be continued", details=[problem]) from exc
