"""Refresh tokens as they are shown to the store, and what comes of that."""

from dataclasses import dataclass
from typing import Final

from auth_service.adapters.mongo.ledger import MongoEntry
from auth_service.adapters.times import micros
from auth_service.application.ports import NotRedeemable, Reused
from auth_service.domain.session import RefreshGrant
from chassis.storage.mongo import Document, MongoDatabase, Session

SESSIONS: Final = "sessions"
TOKENS: Final = "refresh_tokens"


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token that somebody shows, and what the store knows of it."""

    token: Document
    session: Document
    client_id: str
    at: int

    @property
    def is_good(self) -> bool:
        """Whether it can be spent, as far as token and session tell."""
        token, session = self.token, self.session
        unspent = token["used_at"] is None and token["expires_at"] > self.at
        return unspent and session["revoked_at"] is None and not self.is_anothers

    @property
    def is_anothers(self) -> bool:
        """Whether it was given to another client."""
        return bool(self.session["client_id"] != self.client_id)

    @property
    def is_reused(self) -> bool:
        """Whether more than one party has it."""
        return self.token["used_at"] is not None or self.is_anothers

    @property
    def changes_nothing(self) -> bool:
        """Whether showing it has no effect (any more)."""
        if self.is_good:
            return False
        return not self.is_reused or self.session["revoked_at"] is not None

    def reused(self, *, revoked: bool) -> Reused:
        """What to answer when it is."""
        token, session = self.token, self.session
        return Reused(
            session["_id"], session["user_id"], token["generation"], revoked, session["tenant"]
        )


class Unchanged(Exception):
    """Nothing was to be changed: the transaction is given up, and nothing of it is left."""

    def __init__(self, outcome: NotRedeemable | Reused) -> None:
        super().__init__()
        self.outcome = outcome


async def presented(
    store: MongoEntry | MongoDatabase,
    transaction: Session | None,
    digest: bytes,
    client_id: str,
    at: int,
) -> Presented | None:
    token = await store.collection(TOKENS).find_one({"_id": digest}, session=transaction)
    if token is None:
        return None
    session = await store.collection(SESSIONS).find_one(
        {"_id": token["session_id"]}, session=transaction
    )
    return None if session is None else Presented(token, session, client_id, at)


def effective(shown: Presented | None) -> Presented:
    """What was shown.

    Raises:
        Unchanged: it has no effect.
    """
    if shown is None or (shown.changes_nothing and not shown.is_reused):
        raise Unchanged(NotRedeemable())
    if shown.changes_nothing:
        raise Unchanged(shown.reused(revoked=False))
    return shown


async def add_token(
    entry: MongoEntry, session: Document, generation: int, grant: RefreshGrant
) -> None:
    """Keep a refresh token of *session*."""
    token = {
        "_id": grant.digest,
        "session_id": session["_id"],
        "user_id": session["user_id"],
        "generation": generation,
        "issued_at": micros(grant.issued_at),
        "expires_at": micros(grant.expires_at),
        "used_at": None,
    }
    await entry.collection(TOKENS).insert_one(token, session=entry.session)
