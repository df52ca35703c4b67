"""Whoever changes what others may do."""

from dataclasses import dataclass

from auth_service.application.recent_authentication import Presence
from auth_service.domain.session import Origin


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller, with what the caller may do at this moment."""

    tenant: str
    id: str
    permissions: frozenset[str]
    session_id: str = ""
    """Of a person in person; "" for programs."""

    @property
    def presence(self) -> Presence | None:
        """What a person brings to show that it is them; None for programs."""
        if not self.session_id:
            return None
        return Presence(self.tenant, self.id, self.session_id, Origin())
