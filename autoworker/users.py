"""Users: the part of the client with which administrators look after accounts."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from autoworker.model import Page
from autoworker.places import given, segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class Account(msgspec.Struct, frozen=True):
    """A user as administrators see them."""

    id: str
    email: str
    email_verified: bool
    name: str
    roles: list[str]
    active: bool
    created_at: datetime | None = None


class _Ended(msgspec.Struct, frozen=True):
    ended: int


class Users(Requests):
    """The accounts of the tenant; for administrators."""

    def users(
        self, *, email: str = "", role: str = "", active: bool | None = None
    ) -> AsyncIterator[Account]:
        """Users, the newest first.

        Args:
            email: the beginning of the address.
            role: only those who have it.
            active: only active ones, or only others.
        """
        shown = "" if active is None else str(active).lower()
        wanted = given(email=email, role=role, active=shown)
        return self._pages("/v1/users", Page[Account], wanted)

    async def user(self, user_id: str) -> Account:
        """One user.

        Raises:
            NotFound: there is none in this tenant.
        """
        return await self._get(f"/v1/users/{segment(user_id)}", Account)

    async def create_user(
        self, email: str, *, name: str = "", password: str | None = None
    ) -> Account:
        """Make an account for somebody; without a password they are invited by mail.

        Raises:
            Conflict: the address is taken, or no invitation can be sent.
            InvalidRequest: something breaks a rule; each is named.
        """
        body = {"email": email, "name": name} | ({} if password is None else {"password": password})
        _, answer = await self._send("POST", "/v1/users", msgspec.json.encode(body))
        return decoded(answer, Account)

    async def update_user(
        self, user_id: str, *, name: str | None = None, email: str | None = None
    ) -> Account:
        """Change what is given.

        Raises:
            Conflict: the address is taken.
            NotFound: there is no such user.
        """
        body = {"name": name, "email": email}
        given_ = {key: value for key, value in body.items() if value is not None}
        path = f"/v1/users/{segment(user_id)}"
        _, answer = await self._send("PATCH", path, msgspec.json.encode(given_))
        return decoded(answer, Account)

    async def deactivate_user(self, user_id: str) -> Account:
        """Let somebody in no more; their sessions, tokens and keys are dead at once.

        Raises:
            Conflict: it is the last active administrator.
        """
        return await self._verb(user_id, "deactivate")

    async def activate_user(self, user_id: str) -> Account:
        """Let somebody in again."""
        return await self._verb(user_id, "activate")

    async def end_user_sessions(self, user_id: str) -> int:
        """Log somebody out everywhere; how many sessions there were."""
        _, answer = await self._send("DELETE", f"/v1/users/{segment(user_id)}/sessions")
        return decoded(answer, _Ended).ended

    async def delete_user(self, user_id: str) -> None:
        """Delete somebody for good.

        Raises:
            Conflict: it is the last active administrator.
        """
        await self._send("DELETE", f"/v1/users/{segment(user_id)}")

    async def _verb(self, user_id: str, verb: str) -> Account:
        _, answer = await self._send("POST", f"/v1/users/{segment(user_id)}/{verb}")
        return decoded(answer, Account)
