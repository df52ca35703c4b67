"""EndSessions: one session of a user ends, or all but the one that asks, or all."""

from dataclasses import dataclass

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.seniority import Seniority
from auth_service.application.actor import Actor
from auth_service.application.ports import Sessions
from auth_service.application.ports.accounts import SessionList
from auth_service.domain.errors import SessionNotFound
from auth_service.domain.events import SessionRevoked
from auth_service.domain.session import RevocationReason


@dataclass(frozen=True, slots=True)
class EndSession:
    """One session of the user *user_id* ends."""

    tenant: str
    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class EndSessionHandler:
    """Raises `SessionNotFound`, also for a session of somebody else."""

    sessions: Sessions
    desk: Desk

    async def __call__(self, command: EndSession) -> None:
        desk, now = self.desk, self.desk.clock.now()
        event = SessionRevoked(
            id=desk.ids.new(),
            session_id=command.session_id,
            user_id=command.user_id,
            tenant=command.tenant,
            reason=RevocationReason.ENDED_BY_OWNER,
            at=now,
        )
        ended = await self.sessions.revoke(event, forget_at=desk.sessions.forget_revocation_at(now))
        if not ended:
            raise SessionNotFound
        desk.forget((command.session_id,))
        desk.audit.record(
            "session_ended",
            tenant=command.tenant,
            actor=command.user_id,
            target=command.session_id,
        )


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """Those of the user *user_id* end, but *spare*; *actor* is who wants that."""

    tenant: str
    user_id: str
    actor: str
    spare: str = ""


@dataclass(frozen=True, slots=True)
class EndAllSessionsHandler:
    """Answers how many there were."""

    sessions: SessionList
    desk: Desk

    async def __call__(self, command: EndAllSessions) -> int:
        own = command.actor == command.user_id
        reason = RevocationReason.ENDED_BY_OWNER if own else RevocationReason.ENDED_BY_ADMINISTRATOR
        ending = self.desk.ending(reason, spare=command.spare)
        ended = await self.sessions.end(command.tenant, command.user_id, ending)
        self.desk.forget(ended)
        self.desk.audit.record(
            "sessions_ended",
            tenant=command.tenant,
            actor=command.actor,
            target=command.user_id,
            ended=len(ended),
        )
        return len(ended)


@dataclass(frozen=True, slots=True)
class EndUserSessions:
    """An administrator, *actor*, logs somebody out everywhere."""

    actor: Actor
    user_id: str


@dataclass(frozen=True, slots=True)
class EndUserSessionsHandler:
    """Raises what `Seniority` does; answers how many there were."""

    seniority: Seniority
    end_all: EndAllSessionsHandler

    async def __call__(self, command: EndUserSessions) -> int:
        user = await self.seniority.find(command.actor, command.user_id)
        return await self.end_all(EndAllSessions(user.tenant, user.id, command.actor.id))
