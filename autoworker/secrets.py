"""Secrets: the part of the client that sets them. Values go in, and never out."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec

from autoworker.model import JsonValue, Page
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class Secret(msgspec.Struct, frozen=True):
    """All that is ever told of a secret."""

    name: str
    version: int
    """Counts the values that it has had."""
    shared: bool
    """Whether it is the whole tenant's and not one's own."""
    updated_at: datetime
    updated_by: str = ""


class Secrets(Requests):
    """What workflows may use, set and listed."""

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
        _, answer = await self._send("PUT", _place(name), body)
        return decoded(answer, Secret)

    async def secret(self, name: str) -> Secret:
        """The secret that one's workflows know as *name*, without its value.

        Raises:
            NotFound: there is none.
        """
        return await self._get(_place(name), Secret)

    def secrets(self) -> AsyncIterator[Secret]:
        """All that one's workflows may use, by name."""
        return self._pages("/v1/secrets", Page[Secret], {})

    async def delete_secret(self, name: str, *, shared: bool = False) -> None:
        """Forget a secret: effects from now on do not get it.

        Raises:
            NotFound: there is none.
        """
        await self._send("DELETE", _place(name), params={"shared": "true"} if shared else None)


def _place(name: str) -> str:
    return f"/v1/secrets/{segment(name)}"
