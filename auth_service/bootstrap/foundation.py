"""What every capability of identity is built on."""

from dataclasses import dataclass, field

from auth_service.adapters.jwt_tokens import JwtTokens
from auth_service.adapters.messengers import NoMessenger
from auth_service.adapters.peppers import KeyPeppers
from auth_service.adapters.random_source import SystemRandomness
from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.login_watch import LoginWatch
from auth_service.application.accounts.mail_requests import MailRequests
from auth_service.application.accounts.sightings import Sightings
from auth_service.application.authentication import Authenticator, PasswordAuthenticator
from auth_service.application.grants import Grants
from auth_service.application.guessing import Guesses
from auth_service.application.key_ring import KeyRing
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.mfa.authenticator import FactorAuthenticator
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.ports import (
    Audit,
    PasswordHasher,
    Peppers,
    Randomness,
    Rights,
    Tokens,
)
from auth_service.application.ports.mail import MailCarrier
from auth_service.application.ports.mfa import Messenger
from auth_service.application.postman import Postman
from auth_service.application.recent_authentication import (
    PasswordOrRecentLogin,
    RecentAuthentication,
)
from auth_service.application.role_books import RoleBooks
from auth_service.bootstrap.second_factors import (
    Ingredients,
    SecondFactorParts,
    second_factor_parts,
)
from auth_service.bootstrap.stores import Stores
from auth_service.config import Settings
from chassis.caching.port import Limits
from chassis.clock import Clock
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.safe import Safe
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the service but its store."""

    clock: Clock
    ids: Ids
    limits: Limits
    hasher: PasswordHasher
    audit: Audit
    keys: WrappingKeys
    """Seal what is kept; each purpose has a key of its own (`chassis.crypto.safe.Safe`)."""
    carrier: MailCarrier
    messenger: Messenger = field(default_factory=NoMessenger)


@dataclass(frozen=True, slots=True)
class Foundation:
    """The world, the stores, and what several capabilities share."""

    settings: Settings
    stores: Stores
    world: World
    tokens: Tokens
    randomness: Randomness
    ring: KeyRing
    live: LiveSessions
    books: RoleBooks
    grants: Grants
    rights: Rights
    peppers: Peppers
    authenticate: Authenticator
    """Who somebody is, for sessions of the API and for pages in a browser alike."""
    postman: Postman
    mail_requests: MailRequests
    desk: Desk
    """Where accounts are changed: makes each change whole, mails and events included."""
    watch: LoginWatch
    sightings: Sightings
    guesses: Guesses
    presence: RecentAuthentication
    """Asked before anything sensitive is done."""
    owned: OwnedMethods
    mfa: SecondFactorParts


def foundation(settings: Settings, stores: Stores, world: World) -> Foundation:
    """What capabilities share, made once."""
    clock = world.clock
    guesses = Guesses(world.limits, settings.guesses)
    tokens, randomness = JwtTokens(), SystemRandomness()
    ring = KeyRing(stores.keys, clock)
    live = LiveSessions(stores.sessions, clock)
    books = RoleBooks(stores.roles, clock)
    postman = postman_of(stores, world)
    desk = _desk(settings, stores, world, live, postman, randomness)
    owned = OwnedMethods(stores.mfa.factors, stores.mfa.recovery)
    grants = Grants(tokens, ring, settings.sessions, randomness, clock, world.ids)
    watch = LoginWatch(stores.places, desk)
    password = _password(settings, stores, world, guesses)
    return Foundation(
        settings=settings,
        stores=stores,
        world=world,
        tokens=tokens,
        randomness=randomness,
        ring=ring,
        live=live,
        books=books,
        grants=grants,
        rights=books,
        peppers=KeyPeppers(world.keys),
        authenticate=FactorAuthenticator(password, owned),
        postman=postman,
        mail_requests=MailRequests(world.limits, settings.mail_requests),
        desk=desk,
        watch=watch,
        sightings=Sightings(stores.session_list, clock),
        guesses=guesses,
        presence=PasswordOrRecentLogin(
            stores.users, stores.sessions, owned, world.hasher, guesses, world.audit, clock
        ),
        owned=owned,
        mfa=second_factor_parts(
            _ingredients(stores, world, ring, grants, watch, postman, randomness)
        ),
    )


def _desk(
    settings: Settings,
    stores: Stores,
    world: World,
    live: LiveSessions,
    postman: Postman,
    randomness: Randomness,
) -> Desk:
    return Desk(
        stores.accounts,
        live,
        postman,
        settings.accounts,
        settings.sessions,
        randomness,
        world.audit,
        world.clock,
        world.ids,
    )


def _password(
    settings: Settings, stores: Stores, world: World, guesses: Guesses
) -> PasswordAuthenticator:
    return PasswordAuthenticator(
        stores.users,
        stores.sessions,
        world.hasher,
        guesses,
        settings.accounts,
        world.audit,
        world.clock,
    )


def _ingredients(
    stores: Stores,
    world: World,
    ring: KeyRing,
    grants: Grants,
    watch: LoginWatch,
    postman: Postman,
    randomness: Randomness,
) -> Ingredients:
    return Ingredients(
        stores=stores,
        ring=ring,
        grants=grants,
        watch=watch,
        postman=postman,
        keys=world.keys,
        randomness=randomness,
        audit=world.audit,
        clock=world.clock,
        ids=world.ids,
    )


def postman_of(stores: Stores, world: World) -> Postman:
    """Who writes mails, and can open what is in the outbox."""
    return Postman(stores.mails, Safe(world.keys, "mail outbox"), world.clock, world.ids)
