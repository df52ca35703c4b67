"""Transactions on MongoDB that others may have something written along with."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chassis.storage.companions import take_companion
from chassis.storage.mongo import MongoDatabase, MongoTransaction, Session

T = TypeVar("T")


async def accompanied_in(
    database: MongoDatabase, work: Callable[[MongoTransaction], Coroutine[Any, Any, T]]
) -> T:
    """What *work* returns, once all that it wrote is durable, with the companion of this context.

    It is called again from its beginning when another process has just changed the same documents, so it keeps nothing between its
    calls. What it raises undoes everything.

    Raises:
        StoreUnavailable: the store does not answer; it may have been written.
    """
    companion = take_companion()

    async def whole(session: Session) -> T:
        transaction = MongoTransaction(database, session)
        result = await work(transaction)
        if companion is not None:
            companion.follow(transaction, result)
        await transaction.finish()
        return result

    return await database.atomically(whole)
