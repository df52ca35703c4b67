"""Telling users what happened to their second factors."""

from dataclasses import dataclass
from typing import Final

from auth_service.application.ports.mail import OutgoingMail
from auth_service.application.postman import Postman, shown_time
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.ids import Ids

_TEMPLATE: Final = "factors-changed"


@dataclass(frozen=True, slots=True)
class FactorLetters:
    """Writes to users, so that nobody else changes their factors unseen.

    What happened is a clause without a full stop.
    """

    postman: Postman
    clock: Clock
    ids: Ids

    def mail(self, user: User, change: str) -> OutgoingMail:
        """A mail about *change*, for a store to keep with it."""
        return self.postman.write(
            user.tenant, user.email.text, _TEMPLATE, self._facts(user, change), user_id=user.id
        )

    def fact(self, user: User, change: str) -> AccountFact:
        """What others, the user's inbox among them, hear of *change*."""
        facts = {"change": change}
        return AccountFact(
            self.ids.new(),
            FactKind.FACTORS_CHANGED,
            user.tenant,
            user.id,
            self.clock.now(),
            facts,
        )

    async def send(self, user: User, change: str) -> None:
        """Send a mail about *change*, which is kept already."""
        await self.postman.send(
            user.tenant, user.email.text, _TEMPLATE, self._facts(user, change), user_id=user.id
        )

    def _facts(self, user: User, change: str) -> dict[str, str]:
        return {"name": user.name, "when": shown_time(self.clock.now()), "change": change}
