"""EnsureFirstAdministrator: somebody can log in after the very first start."""

import base64
from dataclasses import dataclass, field
from typing import NamedTuple

from auth_service.application.newcomers import Newcomer, Newcomers
from auth_service.application.ports import Audit, Randomness, Users
from auth_service.domain.errors import EmailTaken
from auth_service.domain.permissions import Role

_PASSWORD_BYTES = 15


class FirstAdministrator(NamedTuple):
    """Who it is. The password is there only when it was generated just now: show it once."""

    email: str
    generated_password: str | None


@dataclass(frozen=True, slots=True)
class EnsureFirstAdministrator:
    """Make an administrator unless the tenant has one. No password: one is generated."""

    tenant: str
    email: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class EnsureFirstAdministratorHandler:
    """Raises `InputInvalid` when address or password break the rules."""

    users: Users
    newcomers: Newcomers
    randomness: Randomness
    audit: Audit

    async def __call__(self, command: EnsureFirstAdministrator) -> FirstAdministrator:
        existing = await self.users.first_administrator(command.tenant)
        if existing is not None:
            return FirstAdministrator(existing.email.text, None)
        generated = None if command.password else self._generate_password()
        try:
            user = await self.newcomers.admit(
                Newcomer(
                    tenant=command.tenant,
                    email=command.email,
                    password=command.password or generated or "",
                    name="Administrator",
                    roles=(Role.ADMIN,),
                    verified=True,
                ),
                lambda user: self.audit.along(
                    "first_administrator_created", tenant=user.tenant, target=user.id
                ),
            )
        except EmailTaken:
            # Another replica was faster with the same settings, or a plain user has the address.
            return await self._whoever_was_faster(command)
        return FirstAdministrator(user.email.text, generated)

    async def _whoever_was_faster(self, command: EnsureFirstAdministrator) -> FirstAdministrator:
        existing = await self.users.first_administrator(command.tenant)
        if existing is None:
            raise EmailTaken
        return FirstAdministrator(existing.email.text, None)

    def _generate_password(self) -> str:
        """120 random bits in front of one character of each kind that a policy may ask for."""
        return (
            base64.urlsafe_b64encode(self.randomness.token_bytes(_PASSWORD_BYTES)).decode() + "Aa1"
        )
