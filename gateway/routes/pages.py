"""Pages that the auth service renders: a browser asks for them, and sends their forms back."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from aiohttp import hdrs, web
from msgspec import Struct

from gateway.ports.oauth import OAuthPage, OAuthPages, PageAnswer, PageRequested
from gateway.routes.forms import FORM, form_fields, query_fields
from gateway.routes.origins import origin_of
from gateway.routes.public_address import PublicAddress
from gateway.routes.route import Access, Body, Dialect, Handler, Incoming, Parameter, Reply, Route

COOKIE: Final = "__Host-autoworker"
"""`__Host-`: browsers take it from us only, over TLS (or on this machine), for every path."""
_ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"
_GONE: Final = f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"
DEVICE_COOKIE: Final = "__Host-autoworker-device"
"""On a device where the second factor is not asked for."""
_REMEMBERED: Final = 30 * 24 * 3600
"""Seconds."""
_PAGE: Final = Reply(200, "A page", None, "text/html")
_SENT: Final = Reply(303, "Where the browser goes next", headers={"Location": "There"})


class PageForm(Struct, frozen=True):
    """What the forms on the pages send; which fields there are depends on the page."""

    csrf: str = ""
    id: str = ""
    step: str = ""
    email: str = ""
    password: str = ""
    repeated: str = ""
    decision: str = ""
    user_code: str = ""
    mfa_token: str = ""
    method: str = ""
    code: str = ""
    remember: str = ""
    token: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class PageRoutes:
    """Makes the routes of pages; a cookie says which browser it is, and forms prove that we made them."""

    pages: OAuthPages
    address: PublicAddress
    tag: str

    def get(
        self,
        page: OAuthPage,
        path: str,
        summary: str,
        description: str = "",
        *,
        parameters: tuple[Parameter, ...] = (),
    ) -> Route:
        """The route that shows a page."""

        async def show(request: Incoming) -> web.StreamResponse:
            return await self._browse(page, request, query_fields(request))

        return self.route("GET", path, show, summary, description, parameters=parameters)

    def post(self, page: OAuthPage, path: str, summary: str, description: str = "") -> Route:
        """The route that takes a page's form."""

        async def submit(request: Incoming) -> web.StreamResponse:
            return await self._browse(page, request, form_fields(request))

        body = Body(PageForm, media_types=(FORM,))
        return self.route("POST", path, submit, summary, description, body=body)

    def route(
        self,
        method: str,
        path: str,
        handler: Handler,
        summary: str,
        description: str = "",
        *,
        body: Body | None = None,
        parameters: tuple[Parameter, ...] = (),
    ) -> Route:
        """A route for anybody with a browser."""
        return Route(
            method=method,
            path=path,
            handler=handler,
            summary=summary,
            description=description,
            tag=self.tag,
            permission=Access.PUBLIC,
            service="auth",
            limit="auth" if method == "POST" else "default",
            dialect=Dialect.PAGE,
            finishes=True,
            body=body,
            parameters=parameters,
            replies=[_PAGE, _SENT],
        )

    async def _browse(
        self, page: OAuthPage, request: Incoming, fields: tuple[tuple[str, str], ...]
    ) -> web.StreamResponse:
        requested = PageRequested(
            parameters=fields,
            cookie=request.http.cookies.get(COOKIE, ""),
            issuer=self.address.known,
            origin=origin_of(request),
            device=request.http.cookies.get(DEVICE_COOKIE, ""),
        )
        return _response(await self.pages.browse(page, requested))


def _response(found: PageAnswer) -> web.Response:
    if found.location:
        response = web.Response(status=303, headers={hdrs.LOCATION: found.location})
    else:
        response = web.Response(
            status=found.status, text=found.html, content_type="text/html", charset="utf-8"
        )
        response.headers["Content-Security-Policy"] = found.policy
    if found.cookie is not None:
        value = f"{COOKIE}={found.cookie}; {_ATTRIBUTES}" if found.cookie else _GONE
        response.headers.add(hdrs.SET_COOKIE, value)
    if found.device is not None:
        value = f"{DEVICE_COOKIE}={found.device}; Max-Age={_REMEMBERED}; {_ATTRIBUTES}"
        response.headers.add(hdrs.SET_COOKIE, value)
    if found.retry_after:
        response.headers[hdrs.RETRY_AFTER] = str(ceil(found.retry_after))
    return response
