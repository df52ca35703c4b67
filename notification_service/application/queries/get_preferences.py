"""What a user wants to hear."""

from dataclasses import dataclass

from notification_service.application.ports import PreferenceStore
from notification_service.domain.notification import Preferences
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class GetPreferences:
    """One's preferences."""

    recipient: Recipient


@dataclass(frozen=True, slots=True)
class GetPreferencesHandler:
    """Answers `GetPreferences`."""

    preferences: PreferenceStore

    async def __call__(self, query: GetPreferences) -> Preferences:
        """The preferences; the defaults for who has never said."""
        return await self.preferences.get(query.recipient)
