"""Who must have a second factor."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from auth_service.domain.session import LiveSession

ENROLMENT: Final = "factors:write"
"""All that somebody may do who must have a second factor and has none yet: get one, or log out."""

POWERS: Final = frozenset({"users:write", "roles:write", "roles:assign"})
"""Who may do one of these is an administrator here, whatever the role is called."""


class Requirement(StrEnum):
    """Whom an operator obliges to have a second factor."""

    NONE = "none"
    ADMINS = "admins"
    ALL = "all"

    def concerns(self, permissions: Collection[str]) -> bool:
        """Whether somebody with *permissions* must have one."""
        match self:
            case Requirement.NONE:
                return False
            case Requirement.ADMINS:
                return not POWERS.isdisjoint(permissions)
            case Requirement.ALL:
                return True

    def allowed(self, session: LiveSession, permissions: tuple[str, ...]) -> tuple[str, ...]:
        """What of *permissions* the session is good for: nothing but enrolment, where one is owed.

        Service accounts have no password, so nobody can log in to them and there is nothing to add
        to.
        """
        if session.has_factor or not session.user.password_hash or not self.concerns(permissions):
            return permissions
        return tuple(each for each in permissions if each == ENROLMENT)
