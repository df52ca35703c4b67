"""Who asks, whether they may, and whether they ask too often."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import hdrs

from chassis.errors import Malformed
from gateway.ports import Caller, Gatekeeper, KeyGatekeeper, KeyUses
from gateway.routes import reading
from gateway.routes.address import AddressRules, within
from gateway.routes.problems import AddressRefused, NoCredentials, PermissionMissing
from gateway.routes.rates import Rates
from gateway.routes.route import Access, Incoming, Route

API_KEY: Final = "X-API-Key"
_KEY: Final = re.compile(r"sk_(?:live|test)_\w")
_NAMES: Final = frozenset({"api_key", "api-key", "apikey", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets requests in, by an access token or by an API key."""

    gatekeeper: Gatekeeper
    keys: KeyGatekeeper
    uses: KeyUses
    rates: Rates
    addresses: AddressRules = field(default_factory=AddressRules)

    def check(self, request: Incoming) -> None:
        """What holds for every route, also for those that are open to all.

        Raises:
            AddressRefused: nobody may call from there.
            Malformed: the credentials contradict each other, or stand in the URL.
        """
        if not self.addresses.admit(request.address):
            raise AddressRefused("Requests from your address are not accepted")
        if API_KEY in request.headers and hdrs.AUTHORIZATION in request.headers:
            raise Malformed(f"Send either Authorization or {API_KEY}, not both")
        if request.query_text and _has_key(request.query_text):
            raise Malformed(
                f"An API key must not stand in the URL, where logs keep it: send it as {API_KEY}, "
                "and replace this one"
            )

    async def admit(self, request: Incoming, route: Route) -> None:
        """Find out who asks, and let them in or not.

        Raises:
            Unauthenticated: nobody knows who asks.
            PermissionDenied: they may not do this, or not from there.
            RateLimited: they ask too often.
            Unavailable: who they are cannot be known just now.
        """
        if route.permission is Access.PUBLIC:
            await self._take_anonymous(request, route)
            return
        key = request.headers.get(API_KEY)
        caller = await (
            self._by_token(request, route) if key is None else self._by_key(request, route, key)
        )
        told, principal = request.answer_headers, caller.principal
        limited = caller.key is not None and caller.key.rate_limit is not None
        await self.rates.take_principal(principal.tenant, principal.id, told, beside=limited)
        if principal.key_id is not None:
            self.uses.note(principal.key_id)
        permission, another = route.permission, route.or_permission
        if another and principal.may(another):
            return
        if not isinstance(permission, str) or not principal.may(permission):
            raise PermissionMissing(str(permission))

    async def _take_anonymous(self, request: Incoming, route: Route) -> None:
        if route.limit == "auth":
            await self.rates.take_auth(request.address, request.answer_headers)
        elif route.limit:
            await self.rates.take_address(request.address, request.answer_headers)

    async def _by_token(self, request: Incoming, route: Route) -> Caller:
        token = reading.bearer(request)
        # Guessing tokens costs us signatures, so it is limited before they are looked at.
        if token is None or not self.gatekeeper.has_seen(token):
            await self.rates.take_address(request.address, request.answer_headers)
        if token is None:
            raise NoCredentials("This needs an access token or an API key")
        caller = request.caller_or_none = await self.gatekeeper.admit(token, route.service)
        return caller

    async def _by_key(self, request: Incoming, route: Route, key: str) -> Caller:
        if not self.keys.has_seen(key):
            await self.rates.take_address(request.address, request.answer_headers)
        caller = await self.keys.admit(key, route.service, request.address)
        request.caller_or_none = caller
        terms, key_id = caller.key, caller.principal.key_id
        if terms is None or key_id is None:
            raise LookupError("an API key was exchanged for something else")
        if terms.allowed_ips and not within(request.address, terms.allowed_ips):
            raise AddressRefused("This API key may not be used from your address")
        if terms.rate_limit is not None:
            await self.rates.take_key(key_id, terms.rate_limit, request.answer_headers)
        return caller


def _has_key(query: str) -> bool:
    """Whether a query string carries an API key, by its name or by its shape."""
    if _KEY.search(unquote_plus(query)):
        return True
    return any(name.lower() in _NAMES for name, _ in parse_qsl(query, keep_blank_values=True))
