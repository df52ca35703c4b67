"""Register: somebody becomes a user by their own wish."""

from dataclasses import dataclass

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.mail_requests import MailRequests
from auth_service.application.newcomers import Newcomer, Newcomers
from auth_service.application.ports import Audit
from auth_service.domain.account import Purpose
from auth_service.domain.errors import InputInvalid, TooManyRequests
from auth_service.domain.permissions import Role
from auth_service.domain.session import Origin
from auth_service.domain.user import User
from chassis.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class Register:
    """Make a user with the role `user`."""

    tenant: str
    email: str
    password: str
    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class RegisterHandler:
    """Raises `InputInvalid` with every broken rule, or `EmailTaken`."""

    tenants: frozenset[str]
    newcomers: Newcomers
    desk: Desk
    requests: MailRequests
    audit: Audit

    async def __call__(self, command: Register) -> User:
        if command.tenant not in self.tenants:
            raise InputInvalid([FieldProblem("tenant", "There is no such tenant")])
        newcomer = Newcomer(
            command.tenant, command.email, command.password, command.name, (Role.USER,)
        )
        user = await self.newcomers.admit(
            newcomer,
            lambda user: self.audit.along(
                "user_registered",
                tenant=user.tenant,
                user_id=user.id,
                target=user.id,
                network=command.origin.network,
            ),
        )
        await self._ask_to_confirm(user, command.origin)
        return user

    async def _ask_to_confirm(self, user: User, origin: Origin) -> None:
        """Mail a link, unless too many were asked for from there: it can be asked for again.

        Whoever registers names an address, which need not be theirs; nobody is to be flooded.
        """
        purpose = Purpose.VERIFY_EMAIL
        try:
            admitted = await self.requests.admit(user.tenant, user.email.key, purpose.value, origin)
        except TooManyRequests:
            admitted = False
        if admitted:
            await self.desk.send_link(user, purpose, user.email)
