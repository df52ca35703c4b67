"""RequestLink: anybody may have a link mailed to whoever has an address: a new password, a proof of it.

Known or not, confirmed or not, active or not: the same reads and the same write, the same answer.
"""

from dataclasses import dataclass

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.mail_requests import MailRequests
from auth_service.application.ports import Users
from auth_service.application.ports.mail import MailCarrier, MailWay
from auth_service.domain.account import Purpose
from auth_service.domain.errors import InputInvalid
from auth_service.domain.session import Origin
from auth_service.domain.user import MAX_EMAIL, User, email_key
from chassis.errors import FieldProblem, ServiceError


@dataclass(frozen=True, slots=True)
class RequestLink:
    """*purpose* is setting a new password, or proving the address."""

    tenant: str
    email: str
    purpose: Purpose
    origin: Origin


@dataclass(frozen=True, slots=True)
class RequestLinkHandler:
    """Raises `TooManyRequests`, and `InputInvalid` for what cannot be an address at all.

    Answers whether mail leaves the house at all, which is the same for everybody.
    """

    users: Users
    requests: MailRequests
    desk: Desk
    carrier: MailCarrier

    async def __call__(self, command: RequestLink) -> bool:
        if not 0 < len(command.email) <= 2 * MAX_EMAIL:
            raise InputInvalid([FieldProblem("email", "Required, and not that long")])
        tenant, purpose, key = command.tenant, command.purpose, email_key(command.email)
        admitted = await self.requests.admit(tenant, key, purpose.value, command.origin)
        user = await self.users.find_by_email(tenant, key)
        if user is not None and admitted and _is_of_use(user, purpose):
            await self.desk.send_link(user, purpose, user.email)
        else:
            await self.desk.send_nothing(tenant, purpose)
        self.desk.audit.record(
            "account_link_requested",
            tenant=tenant,
            target=user.id if user else "nobody",
            purpose=purpose.value,
            throttled=not admitted,
            network=command.origin.network,
        )
        return await self._leaves_the_house()

    async def _leaves_the_house(self) -> bool:
        try:
            return await self.carrier.way() is not MailWay.NONE
        except ServiceError:
            # Who knows is away: the mail waits for it, and there is no reason to worry anybody.
            return True


def _is_of_use(user: User, purpose: Purpose) -> bool:
    return user.active and not (purpose is Purpose.VERIFY_EMAIL and user.email_verified)
