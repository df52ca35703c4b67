"""What every store of OAuth makes and decides alike."""

from datetime import UTC, datetime, timedelta
from typing import Final

from auth_service.application.ports.oauth import Ending, ServiceAccount
from auth_service.application.ports.oauth_devices import TooFast, Waiting
from auth_service.domain.events import SessionRevoked
from auth_service.domain.mfa.proofs import UNPROVED
from auth_service.domain.oauth.client import Client
from auth_service.domain.session import Origin, Session
from auth_service.domain.user import EmailAddress, User

FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""The session of a service account ends with its client, not with time."""
REMEMBERED: Final = timedelta(days=1)
"""How long codes are known after their end: a second use of one is no guess."""

_SECOND: Final = 1_000_000
_SLOWER: Final = 5
"""Seconds by which the interval grows when a device does not keep it (RFC 8628 section 3.5)."""


def account_user(client: Client, account: ServiceAccount) -> User:
    """The principal that *client* is by itself."""
    # Reserved for examples that never exist (RFC 2606): nobody can log in or register as it.
    address = f"{client.id}@clients.invalid"
    return User(
        id=account.user_id,
        tenant=client.tenant,
        email=EmailAddress(address, address),
        name=client.name,
        password_hash="",
        roles=account.roles,
        created_at=client.updated_at,
        updated_at=client.updated_at,
    )


def account_session(client: Client, account: ServiceAccount) -> Session:
    """The session that the tokens of its service account belong to."""
    return Session(
        account.session_id,
        account.user_id,
        client.tenant,
        Origin(),
        client.updated_at,
        UNPROVED,
        client_id=client.id,
    )


def session_ended(
    ending: Ending, number: int, *, session_id: str, user_id: str, tenant: str
) -> SessionRevoked:
    """What is told of a session, the *number*-th of those that end together."""
    return SessionRevoked(
        id=f"{ending.event_id}.{number}" if number else ending.event_id,
        session_id=session_id,
        user_id=user_id,
        tenant=tenant,
        reason=ending.reason,
        at=ending.at,
    )


def asked(now: int, asked_at: int | None, interval: int) -> tuple[Waiting | TooFast, int]:
    """What a device learns that asks at *now* and waits for its user, and its interval from then on.

    Args:
        now: microseconds since 1970, as stores have it.
        asked_at: when it asked before; None for the first time.
        interval: seconds that it was to leave between.
    """
    if asked_at is not None and now - asked_at < interval * _SECOND:
        return TooFast(), interval + _SLOWER
    return Waiting(), interval
