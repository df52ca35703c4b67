"""The cache of live sessions forgets in time."""

import asyncio
from datetime import datetime

import pytest

from auth_service.application.live_sessions import LiveSessions
from auth_service.domain.errors import SessionOver
from auth_service.domain.permissions import Role
from auth_service.domain.session import LiveSession
from auth_service.domain.user import EmailAddress, User
from tests.support.time import ManualClock


class SlowSessions:
    """Answers `find_live` when the test lets it."""

    def __init__(self, clock: ManualClock) -> None:
        now = clock.now()
        user = User(
            "u", "default", EmailAddress("a@b.co", "a@b.co"), "", "", (Role.USER,), now, now
        )
        self.found: LiveSession | None = LiveSession("s", user)
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        self.reads += 1
        found = self.found
        await self.gate.wait()
        return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sessions(clock: ManualClock) -> SlowSessions:
    return SlowSessions(clock)


@pytest.fixture
def live(sessions: SlowSessions, clock: ManualClock) -> LiveSessions:
    return LiveSessions(sessions, clock, capacity=2)  # type: ignore[arg-type]


async def test_what_was_just_read_is_not_read_again(
    live: LiveSessions, sessions: SlowSessions
) -> None:
    await live.require("s")
    await live.require("s")

    assert sessions.reads == 1


async def test_what_is_older_than_a_second_is_read_again(
    live: LiveSessions, sessions: SlowSessions, clock: ManualClock
) -> None:
    await live.require("s")
    sessions.found = None
    clock.advance(1.0)

    with pytest.raises(SessionOver):
        await live.require("s")


async def test_what_is_forgotten_is_read_again(live: LiveSessions, sessions: SlowSessions) -> None:
    await live.require("s")
    sessions.found = None
    live.forget("s")

    assert await live.find("s") is None


async def test_a_read_that_a_revocation_overtook_is_not_kept(
    live: LiveSessions, sessions: SlowSessions
) -> None:
    sessions.gate.clear()
    reading = asyncio.create_task(live.find("s"))
    await asyncio.sleep(0)
    sessions.found = None
    live.forget("s")
    sessions.gate.set()
    await reading

    assert await live.find("s") is None


async def test_dead_sessions_are_not_kept(live: LiveSessions, sessions: SlowSessions) -> None:
    sessions.found = None
    await live.find("s")
    await live.find("s")

    assert sessions.reads == 2


async def test_the_cache_is_bounded(live: LiveSessions, sessions: SlowSessions) -> None:
    found = sessions.found
    assert found is not None
    for session_id in ("a", "b", "c"):
        sessions.found = LiveSession(session_id, found.user)
        await live.find(session_id)
    reads = sessions.reads

    await live.find("c")
    await live.find("a")

    assert sessions.reads == reads + 1


async def test_what_must_be_fresh_is_read_again(live: LiveSessions, sessions: SlowSessions) -> None:
    await live.require("s")

    await live.find("s", fresh=True)

    assert sessions.reads == 2


@pytest.mark.parametrize(("changed", "reads"), [("u", 2), ("somebody", 1)])
async def test_sessions_of_a_user_whose_rights_changed_are_read_again(
    live: LiveSessions, sessions: SlowSessions, changed: str, reads: int
) -> None:
    await live.require("s")

    live.forget_user(changed)
    await live.require("s")

    assert sessions.reads == reads


async def test_everything_is_read_again_when_roles_changed(
    live: LiveSessions, sessions: SlowSessions
) -> None:
    await live.require("s")

    live.forget_all()
    await live.require("s")

    assert sessions.reads == 2
