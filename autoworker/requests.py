"""Requests in somebody's name: what all parts of the client are made of."""

from collections.abc import AsyncGenerator, Mapping
from typing import TypeVar

from autoworker.model import Page
from autoworker.places import given
from autoworker.sessions import Session
from autoworker.transport import Transport, decoded

T = TypeVar("T")


class Requests:
    """Sends them with the session's token, and reads the answers."""

    _transport: Transport
    _session: Session

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        return await self._transport.send(
            method,
            path,
            session=self._session,
            body=body,
            headers=headers,
            params=params,
            patience=patience,
        )

    async def _get(self, path: str, kind: type[T]) -> T:
        _, answer = await self._send("GET", path)
        return decoded(answer, kind)

    async def _pages(
        self, path: str, kind: type[Page[T]], params: Mapping[str, str]
    ) -> AsyncGenerator[T, None]:
        cursor: str | None = ""
        while cursor is not None:
            asked = {**params, **given(cursor=cursor)}
            _, answer = await self._send("GET", path, params=asked)
            page = decoded(answer, kind)
            for item in page.items:
                yield item
            cursor = page.next_cursor
