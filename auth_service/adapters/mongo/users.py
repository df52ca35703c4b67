"""Users on MongoDB."""

from pymongo.errors import DuplicateKeyError

from auth_service.adapters.mongo.documents import PERSON, user_document, user_from
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros
from auth_service.domain.errors import EmailTaken, UserNotFound
from auth_service.domain.events import UserRegistered, UserUpdated
from auth_service.domain.permissions import Role
from auth_service.domain.user import User
from chassis.storage.mongo import Document, store_errors


class MongoUsers:
    """The port `Users`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._users = ledger.database.collection("users")

    async def add(self, event: UserRegistered) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await self._users.insert_one(user_document(event.user), session=entry.session)
            entry.announce(event)

        try:
            await self._ledger.write(work)
        except DuplicateKeyError as exc:
            raise EmailTaken from exc

    async def rename(self, event: UserUpdated) -> None:
        """See the port."""
        user = event.user
        which = {"_id": user.id, "tenant": user.tenant}
        change = {"$set": {"name": user.name, "updated_at": micros(user.updated_at)}}

        async def work(entry: MongoEntry) -> None:
            renamed = await self._users.update_one(which, change, session=entry.session)
            if renamed.matched_count != 1:
                raise UserNotFound
            entry.announce(event)

        await self._ledger.write(work)

    async def replace_hash(self, user_id: str, old: str, new: str) -> None:
        """See the port."""
        which = {"_id": user_id, "password_hash": old}

        async def work(entry: MongoEntry) -> None:
            change = {"$set": {"password_hash": new}}
            await self._users.update_one(which, change, session=entry.session)

        await self._ledger.write(work)

    async def find(self, tenant: str, user_id: str) -> User | None:
        """See the port."""
        return await self._one({"_id": user_id, "tenant": tenant})

    async def find_by_email(self, tenant: str, email_key: str) -> User | None:
        """See the port."""
        return await self._one({"tenant": tenant, "email_key": email_key, "kind": PERSON})

    async def first_administrator(self, tenant: str) -> User | None:
        """See the port."""
        administrators = {"tenant": tenant, "roles": Role.ADMIN.value}
        with store_errors():
            found = await self._users.find(administrators).sort("created_at").limit(1).to_list()
        return user_from(found[0]) if found else None

    async def nobody(self) -> bool:
        """Whether there is no user of any tenant."""
        with store_errors():
            return await self._users.find_one({}, {"_id": 1}) is None

    async def _one(self, which: Document) -> User | None:
        with store_errors():
            found = await self._users.find_one(which)
        return None if found is None else user_from(found)


async def hold_user(entry: MongoEntry, user_id: str) -> None:
    """Keep the user there, and others who hold them waiting, until this transaction ends.

    Whoever adds something of theirs does, so that nothing of somebody who is erased at this moment is left behind.

    Raises:
        UserNotFound: there is no such user.
    """
    held = await entry.collection("users").update_one(
        {"_id": user_id}, {"$inc": {"turn": 1}}, session=entry.session
    )
    if held.matched_count != 1:
        raise UserNotFound
