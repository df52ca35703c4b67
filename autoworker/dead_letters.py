"""Dead letters: the part of the client that looks at what was given up, and offers it again."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from autoworker.model import JsonValue, Page
from autoworker.places import given, segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was given up."""

    id: str
    kind: str
    """event or delivery."""
    service: str
    subscription: str
    type: str
    about: str
    """Id of the event or the notification."""
    reason: str
    redrivable: bool
    times: int
    first_at: datetime | None = None
    last_at: datetime | None = None
    payload: JsonValue = None
    """What it holds, masked; only of a letter that was asked for by its id."""


class RedriveFailure(msgspec.Struct, frozen=True):
    """One that is still there, and why."""

    id: str
    reason: str


class Redriven(msgspec.Struct, frozen=True):
    """What became of them."""

    redriven: list[str]
    failed: list[RedriveFailure]


class DeadLetters(Requests):
    """What was given up, listed and offered again; for administrators."""

    def dead_letters(
        self, *, kind: str = "", service: str = "", type: str = ""
    ) -> AsyncIterator[DeadLetter]:
        """All of the tenant, newest first, without what they hold."""
        params = given(kind=kind, service=service, type=type)
        return self._pages("/v1/dead-letters", Page[DeadLetter], params)

    async def dead_letter(self, letter: str) -> DeadLetter:
        """One of them, with what it holds.

        Raises:
            NotFound: there is none.
        """
        return await self._get(_place(letter), DeadLetter)

    async def redrive(
        self,
        ids: Sequence[str] = (),
        *,
        kind: str = "",
        service: str = "",
        type: str = "",
        limit: int = 100,
        dry_run: bool = False,
    ) -> Redriven:
        """Offer those with *ids* again, or without any those that the rest lets through.

        Raises:
            NotFound: one of *ids* is of no letter.
        """
        body = given(kind=kind, service=service, type=type) | {
            "ids": list(ids),
            "limit": limit,
            "dry_run": dry_run,
        }
        _, answer = await self._send(
            "POST", "/v1/dead-letters/redrive", msgspec.json.encode(body), patience=30.0
        )
        return decoded(answer, Redriven)

    async def discard_dead_letter(self, letter: str) -> None:
        """Forget one.

        Raises:
            NotFound: there is none.
        """
        await self._send("DELETE", _place(letter))


def _place(letter: str) -> str:
    return f"/v1/dead-letters/{segment(letter)}"
