"""ConfirmEmail: who got the mailed link proves that an address is theirs, be it the old or a new one."""

from dataclasses import dataclass, field, replace

from auth_service.application.accounts.desk import Desk
from auth_service.application.opaque_tokens import digest_of, has_shape
from auth_service.application.ports import Users
from auth_service.application.ports.accounts import AccountChange
from auth_service.domain.account import AccountToken, Purpose
from auth_service.domain.errors import AccountTokenRefused
from auth_service.domain.events import FactKind, UserUpdated
from auth_service.domain.session import Origin
from auth_service.domain.user import User

_PURPOSES = (Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    """The token is spent by this. A new address takes the place of the old one now."""

    token: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True, slots=True)
class ConfirmEmailHandler:
    """Raises `AccountTokenRefused`, or `EmailTaken` when somebody else was faster with the address."""

    users: Users
    desk: Desk

    async def __call__(self, command: ConfirmEmail) -> None:
        token, user = await self._owner(command)
        if token.purpose is Purpose.CHANGE_EMAIL:
            await self._change(token, user)
        else:
            await self._verify(token, user)

    async def _owner(self, command: ConfirmEmail) -> tuple[AccountToken, User]:
        token = None
        if has_shape(command.token):
            token = await self.desk.accounts.find_token(
                digest_of(command.token), _PURPOSES, self.desk.clock.now()
            )
        user = await self.users.find(token.tenant, token.user_id) if token else None
        if token is None or user is None or not user.active:
            self.desk.audit.record("account_link_refused", network=command.origin.network)
            raise AccountTokenRefused
        return token, user

    async def _verify(self, token: AccountToken, user: User) -> None:
        if token.email.key != user.email.key:
            raise AccountTokenRefused
        desk, now = self.desk, self.desk.clock.now()
        await desk.apply(
            AccountChange(
                before=user,
                after=replace(user, email_verified_at=now, updated_at=now),
                spend=(token.digest, _PURPOSES),
                events=(desk.fact(FactKind.EMAIL_VERIFIED, user),),
            )
        )
        desk.audit.record("email_verified", tenant=user.tenant, actor=user.id, target=user.id)

    async def _change(self, token: AccountToken, user: User) -> None:
        desk, now = self.desk, self.desk.clock.now()
        after = replace(user, email=token.email, email_verified_at=now, updated_at=now)
        await desk.apply(
            AccountChange(
                before=user,
                after=after,
                spend=(token.digest, _PURPOSES),
                # Links that were mailed to the old address are in the hands of who reads it.
                obsolete=tuple(Purpose),
                events=(
                    UserUpdated(desk.ids.new(), after, now),
                    desk.fact(FactKind.EMAIL_CHANGED, user),
                ),
                mails=(desk.note(user, "email-changed", new_email=token.email.text),),
            )
        )
        desk.audit.record("email_changed", tenant=user.tenant, actor=user.id, target=user.id)
