"""Signing keys on MongoDB; their private halves are sealed, each for its own document."""

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from auth_service.adapters.key_seal import KeySeal
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros, moment
from auth_service.domain.signing_key import KeyUse, SigningKey
from chassis.storage.mongo import Document, store_errors


class MongoSigningKeys:
    """The port `SigningKeys`."""

    def __init__(self, ledger: MongoLedger, seal: KeySeal) -> None:
        self._ledger = ledger
        self._keys = ledger.database.collection("signing_keys")
        self._seal = seal

    async def add(self, key: SigningKey) -> bool:
        """See the port: of several processes that make a successor, one is the first."""
        document = _document(self._seal.sealed(key))

        async def work(entry: MongoEntry) -> None:
            await self._keys.insert_one(document, session=entry.session)

        try:
            await self._ledger.write(work)
        except DuplicateKeyError:
            return False
        return True

    async def all(self) -> Sequence[SigningKey]:
        """See the port."""
        with store_errors():
            found = await self._keys.find().sort([("activates_at", 1), ("_id", 1)]).to_list()
        return tuple(self._seal.opened(_key(each)) for each in found)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        with store_errors():
            keys = await self._keys.find({}, {"use": 1, "follows": 1}).to_list()
            followed = [(each["use"], each["follows"]) for each in keys]
            over = [each["_id"] for each in keys if (each["use"], each["_id"]) in followed]
            await self._keys.delete_many(
                {"_id": {"$in": over}, "expires_at": {"$lte": micros(now)}}
            )


def _document(key: SigningKey) -> Document:
    return {
        "_id": key.kid,
        "use": key.use.value,
        "follows": key.follows,
        "private_pem": key.private_pem,
        "activates_at": micros(key.activates_at),
        "retires_at": micros(key.retires_at),
        "expires_at": micros(key.expires_at),
    }


def _key(document: Document) -> SigningKey:
    return SigningKey(
        kid=document["_id"],
        use=KeyUse(document["use"]),
        follows=document["follows"],
        private_pem=bytes(document["private_pem"]),
        activates_at=moment(document["activates_at"]),
        retires_at=moment(document["retires_at"]),
        expires_at=moment(document["expires_at"]),
    )
