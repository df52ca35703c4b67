"""Use cases in which somebody may reach for more than they have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from auth_service.application.actor import Actor
from auth_service.application.ports import Audit
from auth_service.application.use_case import UseCase
from auth_service.domain.access_errors import RoleTooPowerful


class Acted(Protocol):
    """What somebody wants to be done."""

    @property
    def actor(self) -> Actor:
        """Who."""
        ...


C = TypeVar("C", bound=Acted)
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class EscalationTold(Generic[C, A]):
    """*inner*; who reaches for roles that can do more than they can is told to the audit trail."""

    inner: UseCase[C, A]
    audit: Audit
    target: Callable[[C], str]

    async def __call__(self, command: C) -> A:
        try:
            return await self.inner(command)
        except RoleTooPowerful:
            self.audit.record(
                "role_escalation_refused",
                tenant=command.actor.tenant,
                actor=command.actor.id,
                target=self.target(command),
            )
            raise
