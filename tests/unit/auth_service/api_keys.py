"""API keys as tests make and use them."""

from datetime import timedelta

import jwt

from auth_service.application.actor import Actor
from auth_service.application.commands.create_api_key import CreateApiKey, NewKeyText
from auth_service.application.commands.rotate_api_key import RotateApiKey
from auth_service.application.ports import RevocationKind
from auth_service.application.queries.exchange_api_key import ExchangeApiKey, ExchangedKey
from auth_service.application.recent_authentication import Presence
from auth_service.domain.api_key import Environment, KeyTerms
from auth_service.domain.permissions import permissions_of
from auth_service.domain.user import User
from tests.unit.auth_service.fakes import HOME, PASSWORD, Identity

TERMS = KeyTerms("ci", ("executions:read", "workflows:read"))


def actor(user: User) -> Actor:
    """*user* with all that is theirs."""
    return Actor(user.tenant, user.id, frozenset(permissions_of(user.roles)))


def presence(user: User, password: str | None = PASSWORD) -> Presence:
    """*user* in person, by their password."""
    return Presence(user.tenant, user.id, "no-session", HOME, password)


async def new_key(
    auth: Identity,
    user: User,
    terms: KeyTerms = TERMS,
    environment: Environment = Environment.LIVE,
) -> NewKeyText:
    """A key of *user*."""
    return await auth.app.api_keys.create(
        CreateApiKey(actor(user), presence(user), environment, terms)
    )


async def exchanged(auth: Identity, text: str) -> ExchangedKey:
    """What the gateway gets for a key."""
    return await auth.app.api_keys.exchange(
        ExchangeApiKey(text, "svc:workflow", "svc:gateway", "198.51.100.7")
    )


async def claims(auth: Identity, text: str) -> dict[str, object]:
    """What the internal token for a key says."""
    token = (await exchanged(auth, text)).token
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def rotated(auth: Identity, user: User, key_id: str, hours: float = 1.0) -> str:
    """Another text of a key."""
    command = RotateApiKey(actor(user), presence(user), key_id, timedelta(hours=hours))
    return (await auth.app.api_keys.rotate(command)).text.text


async def told(auth: Identity) -> list[tuple[RevocationKind, str]]:
    """What the feed has."""
    entries = await auth.stores.revocations.after(0, now=auth.clock.now(), limit=100)
    return [(entry.change.kind, entry.change.subject) for entry in entries]
