"""Secrets: the part of the client that sets them. Values go in, and never out."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec

from autoworker.model import JsonValue, Page
from autoworker.places import given, segment
from autoworker.sessions import Session
from autoworker.transport import Transport, decoded


class Secret(msgspec.Struct, frozen=True):
    """All that is ever told of a secret."""

    name: str
    version: int
    """Counts the values that it has had."""
    shared: bool
    """Whether it is the whole tenant's and not one's own."""
    updated_at: datetime
    updated_by: str = ""


class Secrets:
    """What workflows may use, set and listed."""

    _transport: Transport
    _session: Session

    async def set_secret(
        self, name: str, value: str | Mapping[str, JsonValue], *, shared: bool = False
    ) -> Secret:
        """Set a secret: a text, or an object whose leaves are texts; effects from now on get it.

        Args:
            name: what workflows call it.
            value: what it is from now on.
            shared: for everybody in the tenant, which administrators may do.

        Raises:
            InvalidRequest: name or value break rules.
        """
        body = msgspec.json.encode({"value": value, "shared": shared})
        _, answer = await self._transport.send(
            "PUT", _place(name), session=self._session, body=body
        )
        return decoded(answer, Secret)

    async def secret(self, name: str) -> Secret:
        """The secret that one's workflows know as *name*, without its value.

        Raises:
            NotFound: there is none.
        """
        _, answer = await self._transport.send("GET", _place(name), session=self._session)
        return decoded(answer, Secret)

    async def secrets(self) -> AsyncIterator[Secret]:
        """All that one's workflows may use, by name."""
        cursor: str | None = ""
        while cursor is not None:
            _, answer = await self._transport.send(
                "GET", "/v1/secrets", session=self._session, params=given(cursor=cursor)
            )
            page = decoded(answer, Page[Secret])
            for secret in page.items:
                yield secret
            cursor = page.next_cursor

    async def delete_secret(self, name: str, *, shared: bool = False) -> None:
        """Forget a secret: effects from now on do not get it.

        Raises:
            NotFound: there is none.
        """
        await self._transport.send(
            "DELETE",
            _place(name),
            session=self._session,
            params={"shared": "true"} if shared else None,
        )


def _place(name: str) -> str:
    return f"/v1/secrets/{segment(name)}"
