"""ExportMe: everything that identity knows about somebody, for them to take along (GDPR article 20)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from auth_service.application.ports import Audit, Users
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.user import User
from chassis.clock import Clock

Section = Callable[[str, str], Awaitable[object]]
"""One part of an export: what is known of the user, by tenant and id, as plain values."""


@dataclass(frozen=True, slots=True)
class ExportMe:
    """Asked for by the person whom it is about."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class ExportMeHandler:
    """Raises what `RecentAuthentication` does. *sections* is what each capability has to tell."""

    users: Users
    recent: RecentAuthentication
    sections: Mapping[str, Section]
    audit: Audit
    clock: Clock

    async def __call__(self, query: ExportMe) -> bytes:
        """A JSON object."""
        user = await self.recent.require(query.presence)
        export: dict[str, object] = {"exported_at": self.clock.now(), "user": _shown(user)}
        for name, section in self.sections.items():
            export[name] = await section(user.tenant, user.id)
        self.audit.record("user_exported", tenant=user.tenant, actor=user.id, target=user.id)
        return msgspec.json.encode(export)


def _shown(user: User) -> Mapping[str, object]:
    roles: Sequence[str] = [str(role) for role in user.roles]
    return {
        "id": user.id,
        "tenant": user.tenant,
        "email": user.email.text,
        "email_verified_at": user.email_verified_at,
        "name": user.name,
        "roles": roles,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "password": "kept only as an Argon2id hash",
    }
