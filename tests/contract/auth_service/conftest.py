"""One store after the other, and things to put in."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth_service.application.ports import RevocationTimes
from auth_service.bootstrap.stores import Stores
from auth_service.domain.events import SessionRevoked, UserRegistered
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.permissions import Role
from auth_service.domain.session import Origin, RefreshGrant, RevocationReason, Session
from auth_service.domain.user import EmailAddress, User
from tests.contract.auth_service.adapters import SHARED, STORES
from tests.support.ids import CountingIds

NOW = datetime(2026, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
LIFE = timedelta(days=30)
PROOF = Proof(NOW, ("pwd",))


@dataclass(slots=True)
class Maker:
    """Makes what stores keep."""

    ids: CountingIds = field(default_factory=CountingIds)

    def user(
        self, email: str = "ada@example.com", tenant: str = "default", role: Role = Role.USER
    ) -> User:
        return User(
            self.ids.new(), tenant, EmailAddress.of(email), "Ada", "hash", (role,), NOW, NOW
        )

    def registered(self, user: User) -> UserRegistered:
        return UserRegistered(self.ids.new(), user, NOW)

    def session(self, user: User, address: str = "198.51.100.7") -> Session:
        return Session(self.ids.new(), user.id, user.tenant, Origin(address, "test"), NOW, PROOF)

    def grant(self, now: datetime = NOW) -> RefreshGrant:
        return RefreshGrant(self.ids.new().encode().ljust(32, b"."), now, now + LIFE)

    def revoked(self, session: Session, at: datetime = NOW) -> SessionRevoked:
        return SessionRevoked(
            id=self.ids.new(),
            session_id=session.id,
            user_id=session.user_id,
            tenant=session.tenant,
            reason=RevocationReason.LOGOUT,
            at=at,
        )

    def times(self, at: datetime = NOW) -> RevocationTimes:
        return RevocationTimes(at, at + timedelta(minutes=11))


@pytest.fixture
def make() -> Maker:
    """Makes what stores keep."""
    return Maker()


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty stores of each adapter."""
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def processes(
    request: pytest.FixtureRequest, stores: Stores, tmp_path: Path
) -> AsyncIterator[Sequence[Stores]]:
    """The same stores as each of the processes has them that can share them: two, or the only one."""
    name = request.node.callspec.params["stores"]
    if name not in SHARED:
        yield [stores]
        return
    async with STORES[name](tmp_path) as others:
        yield [stores, others]


@pytest.fixture
async def ada(stores: Stores, make: Maker) -> User:
    """A user who is in the store."""
    user = make.user()
    await stores.users.add(make.registered(user))
    return user
