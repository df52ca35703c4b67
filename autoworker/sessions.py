"""Where a client's access token comes from."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from autoworker.errors import Unauthenticated
from autoworker.model import Tokens

MARGIN: Final = 30.0
"""Seconds before its end at which a token is renewed: longer than any request is on its way."""

Login = Callable[[], Awaitable[Tokens]]
Refresh = Callable[[str], Awaitable[Tokens]]


class Session(Protocol):
    """Keeps an access token good."""

    async def token(self, *, refused: str | None = None) -> str | None:
        """An access token to call with, None to call without one.

        Args:
            refused: a token that was just answered with 401; another one is wanted.

        Raises:
            AutoworkerError: there is none to be had.
        """
        ...


class FixedToken:
    """A token (or none) that somebody else looks after."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    async def token(self, *, refused: str | None = None) -> str | None:
        """The token, whatever was said about it."""
        return self._token


class PasswordSession:
    """Logs in when first needed, and refreshes; logs in again when the session is gone."""

    def __init__(self, login: Login, refresh: Refresh) -> None:
        self._login = login
        self._refresh = refresh
        self._tokens: Tokens | None = None
        self._good_until = 0.0
        self._turn = asyncio.Lock()

    async def token(self, *, refused: str | None = None) -> str | None:
        """A token that is good for a while."""
        async with self._turn:
            if self._tokens is None:
                return self._take(await self._login())
            known_bad = refused == self._tokens.access_token
            if not known_bad and time.monotonic() < self._good_until:
                return self._tokens.access_token
            try:
                return self._take(await self._refresh(self._tokens.refresh_token))
            except Unauthenticated:
                return self._take(await self._login())

    def _take(self, tokens: Tokens) -> str:
        self._tokens = tokens
        self._good_until = time.monotonic() + tokens.expires_in - MARGIN
        return tokens.access_token
