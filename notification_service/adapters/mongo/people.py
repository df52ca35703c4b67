"""How people can be reached, and what they want to hear."""

from dataclasses import dataclass

from chassis.storage.mongo import MongoDatabase, store_errors
from notification_service.adapters.mongo.documents import contact_of, key_of_recipient, whose
from notification_service.domain.notification import Preferences
from notification_service.domain.recipient import Contact, Recipient


@dataclass(frozen=True, slots=True)
class MongoContacts:
    """Implements `Contacts`."""

    database: MongoDatabase

    async def get(self, recipient: Recipient) -> Contact | None:
        """See `Contacts.get`."""
        with store_errors():
            contacts = self.database.collection("contacts")
            found = await contacts.find_one({"_id": key_of_recipient(recipient)})
        return None if found is None else contact_of(found)


@dataclass(frozen=True, slots=True)
class MongoPreferences:
    """Implements `PreferenceStore`."""

    database: MongoDatabase

    async def get(self, recipient: Recipient) -> Preferences:
        """See `PreferenceStore.get`."""
        with store_errors():
            preferences = self.database.collection("preferences")
            found = await preferences.find_one({"_id": key_of_recipient(recipient)})
        return Preferences() if found is None else Preferences(email=found["email"])

    async def put(self, recipient: Recipient, preferences: Preferences) -> None:
        """See `PreferenceStore.put`."""
        which = {"_id": key_of_recipient(recipient)}
        change = {"$set": whose(recipient) | {"email": preferences.email}}
        with store_errors():
            await self.database.collection("preferences").update_one(which, change, upsert=True)
