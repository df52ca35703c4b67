"""A user wants to hear more, or less."""

from dataclasses import dataclass, field, replace

from chassis.audit import Audit, SilentAudit
from notification_service.application.ports import PreferenceStore
from notification_service.domain.notification import Preferences
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class UpdatePreferences:
    """Change what is not None."""

    recipient: Recipient
    email: bool | None


@dataclass(frozen=True, slots=True)
class UpdatePreferencesHandler:
    """Handles `UpdatePreferences`."""

    preferences: PreferenceStore
    audit: Audit = field(default_factory=SilentAudit)

    async def __call__(self, command: UpdatePreferences) -> Preferences:
        """Do it, and answer with all preferences as they now are."""
        current = await self.preferences.get(command.recipient)
        if command.email is None or command.email == current.email:
            return current
        changed = replace(current, email=command.email)
        with self.audit.along(
            "preferences_changed",
            tenant=command.recipient.tenant,
            actor=command.recipient.user_id,
            target=command.recipient.user_id,
            by_email=changed.email,
        ):
            await self.preferences.put(command.recipient, changed)
        return changed
