"""Roles, and who has them, on MongoDB."""

from typing import Final

from pymongo import ReturnDocument

from auth_service.adapters.mongo.administrators import ROLE_BOOKS, USERS, keep_an_administrator
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Assignment, Change
from auth_service.domain.access_errors import RoleInUse, RolesChanged
from auth_service.domain.errors import UserNotFound
from auth_service.domain.permissions import Role
from auth_service.domain.roles import RoleBook, RoleDefinition
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, Session

_ROLES: Final = "roles"


class MongoRoles:
    """The port `Roles`.

    Whoever writes writes the tenant's book: transactions that go by the same version of it exclude each other.
    """

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger

    async def book(self, tenant: str) -> RoleBook:
        """See the port."""
        database = self._ledger.database

        async def work(session: Session) -> RoleBook:
            # One transaction sees one state of the store: the version and the roles that it has.
            book = await database.collection(ROLE_BOOKS).find_one({"_id": tenant}, session=session)
            found = database.collection(_ROLES).find({"tenant": tenant}, session=session)
            roles = [_role(each) async for each in found]
            return RoleBook(_version(book), {role.name: role for role in roles})

        return await database.atomically(work)

    async def put(self, tenant: str, role: RoleDefinition, *, read: int, change: Change) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _turn(entry, tenant, read, steps=1)
            document = _document(tenant, role)
            await entry.collection(_ROLES).replace_one(
                {"_id": document["_id"]}, document, upsert=True, session=entry.session
            )
            entry.revoke(change)

        await self._ledger.write(work)

    async def remove(self, tenant: str, name: str, *, read: int, change: Change) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _turn(entry, tenant, read, steps=1)
            has_it = {"tenant": tenant, "roles": name}
            if await entry.collection(USERS).find_one(has_it, {"_id": 1}, session=entry.session):
                raise RoleInUse(name, "users have it")
            await entry.collection(_ROLES).delete_one(
                {"_id": key_of(tenant, name)}, session=entry.session
            )
            entry.revoke(change)

        await self._ledger.write(work)

    async def assign(self, assignment: Assignment, *, read: int, change: Change) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            who = {"_id": assignment.user_id, "tenant": assignment.tenant}
            users = entry.collection(USERS)
            found = await users.find_one(who, {"roles": 1}, session=entry.session)
            if found is None:
                raise UserNotFound
            if found["roles"] != list(assignment.before):
                raise RolesChanged
            await _turn(entry, assignment.tenant, read, steps=0)
            if Role.ADMIN in assignment.before and Role.ADMIN not in assignment.after:
                await keep_an_administrator(entry, assignment.tenant, assignment.user_id)
            values = {"roles": list(assignment.after), "updated_at": micros(assignment.at)}
            await users.update_one(who, {"$set": values}, session=entry.session)
            entry.revoke(change)

        await self._ledger.write(work)


async def _turn(entry: MongoEntry, tenant: str, read: int, *, steps: int) -> None:
    """The book is so many versions further, unless it is no longer at the one that was read."""
    before = await entry.collection(ROLE_BOOKS).find_one_and_update(
        {"_id": tenant},
        {"$inc": {"version": steps, "turn": 1}},
        upsert=True,
        return_document=ReturnDocument.BEFORE,
        session=entry.session,
    )
    if _version(before) != read:
        raise RolesChanged


def _version(book: Document | None) -> int:
    """A tenant that never changed a role may have no book, which is version 0."""
    return 0 if book is None else int(book["version"])


def _document(tenant: str, role: RoleDefinition) -> Document:
    return {
        "_id": key_of(tenant, role.name),
        "tenant": tenant,
        "name": role.name,
        "description": role.description,
        "permissions": list(role.permissions),
        "parents": list(role.parents),
        "updated_at": micros(role.updated_at) if role.updated_at is not None else 0,
        "updated_by": role.updated_by,
    }


def _role(document: Document) -> RoleDefinition:
    updated_at = document["updated_at"]
    return RoleDefinition(
        name=document["name"],
        description=document["description"],
        permissions=tuple(document["permissions"]),
        parents=tuple(document["parents"]),
        updated_at=moment(updated_at) if updated_at else None,
        updated_by=document["updated_by"],
    )
