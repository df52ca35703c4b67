"""Remembered devices on MongoDB."""

from datetime import datetime

from pymongo import ASCENDING, DESCENDING, ReturnDocument

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.times import micros, moment
from auth_service.domain.mfa.devices import Device
from chassis.storage.mongo import Document, store_errors

_DEVICES = "mfa_devices"


class MongoDevices:
    """The port `Devices`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, device: Device) -> None:
        """See the port.

        Raises:
            UserNotFound: whose device it was to be is gone.
        """

        async def work(entry: MongoEntry) -> None:
            await hold_user(entry, device.user_id)
            await entry.collection(_DEVICES).insert_one(_document(device), session=entry.session)

        await self._ledger.write(work)

    async def rotate(
        self, user_id: str, digest: bytes, successor: bytes, now: datetime
    ) -> Device | None:
        """See the port."""
        which = {"digest": digest, "user_id": user_id, "expires_at": {"$gt": micros(now)}}
        change = {"$set": {"digest": successor, "last_used_at": micros(now)}}

        async def work(entry: MongoEntry) -> Device | None:
            rotated: Document | None = await entry.collection(_DEVICES).find_one_and_update(
                which, change, return_document=ReturnDocument.AFTER, session=entry.session
            )
            return None if rotated is None else _device(rotated)

        return await self._ledger.write(work)

    async def list(self, tenant: str, user_id: str, now: datetime) -> tuple[Device, ...]:
        """See the port."""
        which = {"user_id": user_id, "tenant": tenant, "expires_at": {"$gt": micros(now)}}
        order = [("last_used_at", DESCENDING), ("_id", ASCENDING)]
        with store_errors():
            found = self._database.collection(_DEVICES).find(which).sort(order)
            return tuple([_device(each) async for each in found])

    async def forget(self, tenant: str, user_id: str, device_id: str) -> bool:
        """See the port."""
        which = {"_id": device_id, "user_id": user_id, "tenant": tenant}
        return await self._delete(which) == 1

    async def forget_all(self, user_id: str) -> None:
        """See the port."""
        _ = await self._delete({"user_id": user_id})

    async def purge(self, now: datetime) -> None:
        """Drop those that are not remembered any more."""
        with store_errors():
            over = {"expires_at": {"$lte": micros(now)}}
            await self._database.collection(_DEVICES).delete_many(over)

    async def _delete(self, which: Document) -> int:
        async def work(entry: MongoEntry) -> int:
            devices = entry.collection(_DEVICES)
            return (await devices.delete_many(which, session=entry.session)).deleted_count

        return await self._ledger.write(work)


def _document(device: Device) -> Document:
    return {
        "_id": device.id,
        "user_id": device.user_id,
        "tenant": device.tenant,
        "digest": device.digest,
        "address": device.address,
        "user_agent": device.user_agent,
        "created_at": micros(device.created_at),
        "last_used_at": micros(device.last_used_at),
        "expires_at": micros(device.expires_at),
    }


def _device(document: Document) -> Device:
    return Device(
        id=document["_id"],
        user_id=document["user_id"],
        tenant=document["tenant"],
        digest=bytes(document["digest"]),
        address=document["address"],
        user_agent=document["user_agent"],
        created_at=moment(document["created_at"]),
        last_used_at=moment(document["last_used_at"]),
        expires_at=moment(document["expires_at"]),
    )
