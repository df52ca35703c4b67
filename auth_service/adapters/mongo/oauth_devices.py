"""Devices that wait for their users on MongoDB."""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.oauth_grants import replayed
from auth_service.adapters.mongo.oauth_rows import open_granted, purge
from auth_service.adapters.oauth_documents import device_of, encode, granted_of
from auth_service.adapters.oauth_rules import REMEMBERED, asked
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import Ending, Unknown
from auth_service.application.ports.oauth_devices import (
    Approved,
    Denied,
    Expired,
    Opening,
    Poll,
)
from auth_service.domain.oauth.device import DeviceGrant, DeviceState
from chassis.storage.mongo import Document, store_errors


class MongoDeviceGrants:
    """The port `DeviceGrants`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, grant: DeviceGrant) -> bool:
        """See the port."""
        document = _document(grant)

        async def work(entry: MongoEntry) -> None:
            await entry.collection("oauth_devices").insert_one(document, session=entry.session)

        try:
            await self._ledger.write(work)
        except DuplicateKeyError:
            return False
        return True

    async def find(self, user_code: bytes, now: datetime) -> DeviceGrant | None:
        """See the port."""
        which = {
            "user_code": user_code,
            "state": DeviceState.PENDING.value,
            "expires_at": {"$gt": micros(now)},
        }
        with store_errors():
            found = await self._database.collection("oauth_devices").find_one(which)
        return None if found is None else device_of(found["document"])

    async def poll(self, digest: bytes, client_id: str, opening: Opening, ending: Ending) -> Poll:
        """See the port."""
        which = {"_id": digest, "client_id": client_id}

        async def work(entry: MongoEntry) -> Poll:
            device = await entry.collection("oauth_devices").find_one(which, session=entry.session)
            if device is None:
                return Unknown()
            if device["used_at"] is not None:
                return await replayed(entry, "oauth_devices", digest, ending)
            return await _answer(entry, device, opening, micros(ending.at))

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await purge(self._database, ("oauth_devices",), now - REMEMBERED)


async def _answer(entry: MongoEntry, device: Document, opening: Opening, now: int) -> Poll:
    """What the device learns that has got nothing yet; whatever is noted is noted in what was read."""
    if device["expires_at"] <= now:
        return Expired()
    if device["state"] == DeviceState.DENIED.value:
        return Denied()
    if device["state"] == DeviceState.APPROVED.value:
        return await _spend(entry, device, opening, now)
    answer, interval = asked(now, device["asked_at"], device["interval"])
    await _note(entry, device, {"asked_at": now, "interval": interval})
    return answer


async def _spend(entry: MongoEntry, device: Document, opening: Opening, now: int) -> Poll:
    granted = granted_of(device["granted"])
    opened = opening(granted)
    await _note(entry, device, {"used_at": now, "session_id": opened.session.id})
    await open_granted(entry, opened)
    return Approved(granted)


async def _note(entry: MongoEntry, device: Document, values: Document) -> None:
    await entry.collection("oauth_devices").update_one(
        {"_id": device["_id"]}, {"$set": values}, session=entry.session
    )


def _document(grant: DeviceGrant) -> Document:
    return {
        "_id": grant.digest,
        "user_code": grant.user_code,
        "client_id": grant.client_id,
        "document": encode(grant),
        "expires_at": micros(grant.expires_at),
        "state": DeviceState.PENDING.value,
        "granted": None,
        "interval": grant.interval,
        "asked_at": None,
        "used_at": None,
        "session_id": None,
    }
