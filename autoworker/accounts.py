"""Accounts and sessions: the part of the client that knows who one is."""

import msgspec

from autoworker.model import Tokens, User
from autoworker.requests import Requests
from autoworker.transport import decoded


class _Registered(msgspec.Struct, frozen=True):
    user: User


class Accounts(Requests):
    """Sign-up, login and logout."""

    async def register(
        self, email: str, password: str, name: str = "", *, tenant: str = "default"
    ) -> User:
        """Make an account.

        Raises:
            Conflict: the address is taken.
            InvalidRequest: address or password break rules; each is named.
        """
        said = {"email": email, "password": password, "name": name, "tenant": tenant}
        body = msgspec.json.encode(said)
        _, answer = await self._transport.send("POST", "/v1/auth/register", body=body)
        return decoded(answer, _Registered).user

    async def login(
        self, email: str, password: str, otp: str = "", *, tenant: str = "default"
    ) -> Tokens:
        """Open a session, for a token to use elsewhere; this client's own session is untouched.

        Raises:
            Unauthenticated: wrong address or password.
        """
        said = {"email": email, "password": password, "otp": otp, "tenant": tenant}
        body = msgspec.json.encode(said)
        _, answer = await self._transport.send("POST", "/v1/auth/login", body=body)
        return decoded(answer, Tokens)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Spend a refresh token for new tokens.

        Raises:
            Unauthenticated: it is unknown, spent or revoked.
        """
        body = msgspec.json.encode({"refresh_token": refresh_token})
        _, answer = await self._transport.send("POST", "/v1/auth/refresh", body=body)
        return decoded(answer, Tokens)

    async def logout(self) -> None:
        """End the session; its tokens are dead at once."""
        await self._send("POST", "/v1/auth/logout")

    async def me(self) -> User:
        """Who one is."""
        return await self._get("/v1/users/me", User)
