"""What every change of a policy has in common."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.policies import Edit
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """Tells of them on the feed, so that they are in force everywhere within a second."""

    policy: SessionPolicy
    clock: Clock

    def by(self, actor: Actor) -> Edit:
        """An edit by *actor*, now."""
        now = self.clock.now()
        forget_at = self.policy.forget_change_at(now)
        change = Change(RevocationKind.POLICY, actor.tenant, forget_at)
        return Edit(actor.tenant, actor.id, now, change)
