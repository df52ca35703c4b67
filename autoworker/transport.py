"""HTTP as the client needs it: one request, its answer or its error."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import msgspec

from autoworker.errors import AutoworkerError, NotUnderstood, Unauthenticated, Unreachable, error_of
from autoworker.sessions import Session

T = TypeVar("T")
TIMEOUT: Final = 30.0
API_KEYS: Final = ("sk_live_", "sk_test_")
"""How API keys begin, and access tokens never do."""
_JSON: Final = "application/json"


class Transport:
    """Sends requests to one suite.

    Args:
        url: where the gateway is.
        timeout: seconds that a request may take.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def send(
        self,
        method: str,
        path: str,
        *,
        session: Session | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        """Send a request; status and body of the answer.

        Args:
            method: GET, POST and so on.
            path: begins with a slash.
            session: gives the token; None sends the request without one.
            body: JSON, unless a header says otherwise.
            headers: what to send besides the usual ones.
            params: the query.
            patience: seconds that the answer may take longer than usual.

        Raises:
            AutoworkerError: see `autoworker.errors`.
        """
        total = aiohttp.ClientTimeout(total=self._timeout + patience)
        token: str | None = None
        for attempt in (1, 2):
            token = await session.token(refused=token) if session else None
            try:
                async with self._request(method, path, token, body, headers, params, total) as got:
                    content = await got.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as exc:
                raise self._unreachable(exc) from exc
            if got.status < 400:
                return got.status, content
            error = error_of(got.status, content, got.headers.get("Retry-After"))
            # Once: the token may just have been revoked, or its end come nearer than our clock says.
            if not (attempt == 1 and token and isinstance(error, Unauthenticated)):
                break
        raise error

    @asynccontextmanager
    async def stream(
        self, path: str, *, session: Session, headers: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream; the chunks of its body.

        Raises:
            AutoworkerError: see `autoworker.errors`.
        """
        silence = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=60.0)
        token = await session.token()
        try:
            async with self._request("GET", path, token, None, headers, None, silence) as got:
                if got.status >= 400:
                    raise error_of(got.status, await got.read(), got.headers.get("Retry-After"))
                yield got.content.iter_any()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise self._unreachable(exc) from exc

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        token: str | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        sent = {"Accept": _JSON, **(headers or {})}
        if token and token.startswith(API_KEYS):
            sent["X-API-Key"] = token
        elif token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", _JSON)
        if self._http is None:
            self._http = aiohttp.ClientSession()
        async with self._http.request(
            method,
            self.url + path,
            data=body,
            headers=sent,
            params=params,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            yield response

    def _unreachable(self, cause: BaseException) -> AutoworkerError:
        reason = str(cause) or type(cause).__name__
        return Unreachable(f"no answer from {self.url}: {reason}")


def decoded(body: bytes, kind: type[T]) -> T:
    """*body* as a *kind*.

    Raises:
        NotUnderstood: it is something else.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise NotUnderstood(f"an answer that is not Autoworker's: {exc}") from exc
