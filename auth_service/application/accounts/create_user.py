"""CreateUser: an administrator makes an account for somebody else."""

from dataclasses import dataclass, field

from auth_service.application.accounts.desk import Desk
from auth_service.application.newcomers import Newcomer, Newcomers
from auth_service.application.opaque_tokens import new_token
from auth_service.application.ports.mail import MailCarrier, MailWay
from auth_service.domain.account import Purpose
from auth_service.domain.errors import NoMailServer
from auth_service.domain.permissions import Role
from auth_service.domain.user import User

_FITS_EVERY_POLICY = "Aa1"


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Without a password the user is invited by mail to choose one."""

    tenant: str
    email: str
    name: str
    actor: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CreateUserHandler:
    """Raises `InputInvalid`, `EmailTaken`, or `NoMailServer` when an invitation could not be sent."""

    newcomers: Newcomers
    carrier: MailCarrier
    desk: Desk

    async def __call__(self, command: CreateUser) -> User:
        invited = command.password is None
        if invited and await self.carrier.way() is MailWay.NONE:
            raise NoMailServer
        user = await self.newcomers.admit(
            Newcomer(
                tenant=command.tenant,
                email=command.email,
                password=command.password if command.password is not None else self._unknown(),
                name=command.name,
                roles=(Role.USER,),
            ),
            lambda user: self.desk.audit.along(
                "user_created",
                tenant=user.tenant,
                actor=command.actor,
                target=user.id,
                invited=invited,
            ),
        )
        purpose = Purpose.INVITATION if invited else Purpose.VERIFY_EMAIL
        await self.desk.send_link(user, purpose, user.email)
        return user

    def _unknown(self) -> str:
        """A password that nobody ever learns; checking it costs as much as any other."""
        return new_token(self.desk.randomness) + _FITS_EVERY_POLICY
