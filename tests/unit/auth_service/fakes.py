"""The neighbours of identity as tests have them, and identity put together with them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import jwt

from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores
from auth_service.application.app import Application
from auth_service.application.commands.login import Login
from auth_service.application.commands.logout import Logout
from auth_service.application.commands.refresh import Refresh
from auth_service.application.commands.register import Register
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.grants import IssuedTokens
from auth_service.application.mail_round import MailRound
from auth_service.application.ports import Revocation
from auth_service.application.ports.mail import Letter, MailWay
from auth_service.application.ports.mfa import Messenger
from auth_service.application.queries.exchange_token import ExchangeToken, InternalToken
from auth_service.application.queries.watch_revocations import Heartbeat, WatchRevocations
from auth_service.bootstrap import World, assemble
from auth_service.bootstrap.foundation import postman_of
from auth_service.config import Settings
from auth_service.domain.session import Origin
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.domain.user import User
from chassis.caching.memory import MemoryLimits
from chassis.crypto.key_file import WrappingKeys
from chassis.errors import ServiceError
from chassis.ids import RandomIds
from chassis.storage.companions import Companion, beside
from tests.support.time import ManualClock

EMAIL = "ada@example.com"
PASSWORD = "Analytical-Engine-1843"
KEYS = WrappingKeys("k1", {"k1": bytes(32)})
HOME = Origin("198.51.100.7", "a browser")


class PlainHasher:
    """Hashes nothing, and remembers what it was asked to compare."""

    def __init__(self) -> None:
        self.version = 1
        self.compared: list[str] = []

    @property
    def decoy(self) -> str:
        return "v1:\0 matches nothing"

    async def hash(self, password: str) -> str:
        return f"v{self.version}:{password}"

    async def verify(self, password_hash: str, password: str) -> bool:
        self.compared.append(password_hash)
        return password_hash.partition(":")[2] == password

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"v{self.version}:")


class RecordingAudit:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, str | int | bool]]] = []

    def record(self, event: str, **facts: str | int | bool) -> None:
        self.entries.append((event, facts))

    @contextmanager
    def along(self, event: str, **facts: str | int | bool) -> Iterator[None]:
        companion = Companion(lambda connection: None)
        with beside(companion):
            yield
        if companion.done or not companion.taken:
            self.entries.append((event, facts))

    def names(self) -> list[str]:
        """The events so far, without those about keys."""
        return [name for name, _ in self.entries if name != "signing_key_created"]


class RecordingCarrier:
    """The port `MailCarrier`: keeps what it is given; fails as it is told to, once for each."""

    def __init__(self, *failures: ServiceError, way: MailWay = MailWay.SMTP) -> None:
        self.failures = list(failures)
        self.letters: list[Letter] = []
        self.leaves_by = way

    async def carry(self, letter: Letter) -> MailWay:
        if self.failures:
            raise self.failures.pop(0)
        self.letters.append(letter)
        return self.leaves_by

    async def way(self) -> MailWay:
        return self.leaves_by


@dataclass(slots=True)
class Identity:
    """All of the service but its entrypoints, with a clock that stands still."""

    app: Application
    stores: SqliteStores
    clock: ManualClock
    hasher: PlainHasher
    audit: RecordingAudit
    carrier: RecordingCarrier
    mail_round: MailRound

    async def register(self, email: str = EMAIL, password: str = PASSWORD, name: str = "") -> User:
        command = Register(DEFAULT_TENANT, email, password, name, HOME)
        return await self.app.commands.register(command)

    async def login(
        self, email: str = EMAIL, password: str = PASSWORD, origin: Origin = HOME
    ) -> IssuedTokens:
        return await self.app.commands.login(Login(DEFAULT_TENANT, email, password, origin))

    async def refresh(self, token: str) -> IssuedTokens:
        return await self.app.commands.refresh(Refresh(token, HOME))

    async def exchange(self, access_token: str, audience: str = "svc:workflow") -> InternalToken:
        query = ExchangeToken(access_token, audience, actor="svc:gateway")
        return await self.app.queries.exchange_token(query)

    async def logout(self, user: User, session_id: str) -> None:
        await self.app.commands.logout(Logout(user.tenant, user.id, session_id))

    @asynccontextmanager
    async def feed(self, after: int = 0) -> AsyncIterator[AsyncIterator[Revocation | Heartbeat]]:
        """The feed of revocations, closed in the end."""
        feed = self.app.queries.watch_revocations(WatchRevocations(after))
        async with aclosing(feed):  # type: ignore[type-var]
            yield feed

    async def verify(self, user: User) -> None:
        """Let the user's address count as confirmed."""
        await self.stores.database.write(
            lambda connection: connection.execute(
                "UPDATE users SET email_verified_at = 1 WHERE id = ?", (user.id,)
            )
        )

    async def mailed(self) -> list[Letter]:
        """The letters that have left since the last time."""
        before = len(self.carrier.letters)
        while await self.mail_round():
            pass
        return self.carrier.letters[before:]

    async def announced(self) -> list[str]:
        """The types of the events in the outbox."""
        return [event.type for _, event in await self.stores.log.read_log(0, 1000)]


def session_of(issued: IssuedTokens) -> str:
    """The session that an access token belongs to."""
    return str(jwt.decode(issued.access_token, options={"verify_signature": False})["sid"])


@asynccontextmanager
async def identity(
    settings: Settings | None = None,
    *,
    path: Path | None = None,
    clock: ManualClock | None = None,
    messenger: Messenger | None = None,
) -> AsyncIterator[Identity]:
    """Identity on a store of its own, with its first signing keys."""
    clock = clock or ManualClock()
    hasher, audit = PlainHasher(), RecordingAudit()
    async with sqlite_stores(path) as stores:
        carrier = RecordingCarrier()
        world = World(clock, RandomIds(), MemoryLimits(clock), hasher, audit, KEYS, carrier)
        if messenger is not None:
            world = replace(world, messenger=messenger)
        app = assemble(settings or Settings(), stores, world, heartbeat=0.02)
        await app.commands.rotate_keys(RotateKeys())
        mail_round = MailRound(stores.mails, postman_of(stores, world), carrier, audit, clock)
        yield Identity(app, stores, clock, hasher, audit, carrier, mail_round)
