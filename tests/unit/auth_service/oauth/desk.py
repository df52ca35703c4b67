"""An application, its user and a browser, without a network, on a clock that stands still."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from auth_service.application.actor import Actor
from auth_service.application.commands.oauth.register_client import (
    RegisterClient,
    RegisteredClient,
)
from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.browsing import (
    ConsentPage,
    DevicePage,
    LoginPage,
    Reaction,
    Sent,
    Shown,
    Visit,
)
from auth_service.domain.oauth import pkce
from auth_service.domain.oauth.client import GrantType
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.oauth.registration import Registration
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.tenant import DEFAULT_TENANT
from tests.unit.auth_service.fakes import EMAIL, HOME, PASSWORD, Identity

ISSUER = "https://auth.example"
CALLBACK = "https://client.example/cb"
VERIFIER = "v" * 43
REGISTRATION = Registration(
    "Desk",
    grants=(
        GrantType.AUTHORIZATION_CODE,
        GrantType.REFRESH_TOKEN,
        GrantType.DEVICE_CODE,
        GrantType.CLIENT_CREDENTIALS,
    ),
    redirect_uris=(CALLBACK,),
    scopes=("openid", "offline_access", "executions:read"),
)


@dataclass(slots=True)
class Desk:
    """What a client and a browser can do."""

    auth: Identity
    client_id: str
    secret: str
    cookie: str = ""

    async def ask(self, endpoint: str, values: Mapping[str, str]) -> Answer:
        """What an endpoint says to the client."""
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        asked = Asked(Parameters(values), f"Basic {pair}", ISSUER, HOME)
        answer: Answer = await getattr(self.auth.app.oauth.endpoints, endpoint)(asked)
        return answer

    async def token(self, grant: GrantType, **values: str) -> Answer:
        """What the token endpoint says."""
        return await self.ask("token", {"grant_type": grant.value, **values})

    async def redeem(self, code: str) -> Answer:
        """What it says to a code."""
        values = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.token(GrantType.AUTHORIZATION_CODE, **values)

    async def visit(self, page: str, **values: str) -> Reaction:
        """What the browser gets."""
        visit = Visit(Parameters(values), self.cookie, ISSUER, HOME)
        reaction: Reaction = await getattr(self.auth.app.oauth.pages, page)(visit)
        if reaction.cookie is not None:
            self.cookie = reaction.cookie
        return reaction

    async def begin(self, **changes: str) -> Reaction:
        """An authorization request arrives."""
        values = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid offline_access",
            "code_challenge": pkce.challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return await self.visit("authorize", **values)

    async def login_page(self, began: Reaction) -> LoginPage:
        """The page that a begun request leads to."""
        shown = await self.visit("show", id=said(began)["id"])
        assert isinstance(shown, Shown)
        assert isinstance(shown.view, LoginPage)
        return shown.view

    async def log_in(self, page: LoginPage) -> Reaction:
        """Give the password."""
        return await self.visit(
            "submit",
            id=page.request_id,
            csrf=page.csrf,
            step="login",
            email=EMAIL,
            password=PASSWORD,
        )

    async def allow(self, request_id: str) -> Reaction:
        """Agree, where that is asked for."""
        shown = await self.visit("show", id=request_id)
        if isinstance(shown, Sent):
            return shown
        assert isinstance(shown.view, ConsentPage)
        return await self.visit(
            "submit", id=request_id, csrf=shown.view.csrf, step="consent", decision="allow"
        )

    async def code(self) -> str:
        """The code of a whole walk."""
        began = await self.begin()
        if "code" in said(began):
            return said(began)["code"]
        page = await self.login_page(began)
        await self.log_in(page)
        return said(await self.allow(page.request_id))["code"]

    async def device_page(self) -> DevicePage:
        """The page that asks for a device's code."""
        shown = await self.visit("show_device")
        assert isinstance(shown, Shown)
        assert isinstance(shown.view, DevicePage)
        return shown.view


def said(reaction: Reaction) -> dict[str, str]:
    """What a redirect carries."""
    assert isinstance(reaction, Sent), reaction
    return dict(parse_qsl(urlsplit(reaction.location).query))


async def registered(auth: Identity, wanted: Registration = REGISTRATION) -> RegisteredClient:
    """A new client."""
    registrar = Actor(DEFAULT_TENANT, "admin", frozenset(PERMISSIONS))
    return await auth.app.oauth.clients.register(RegisterClient(registrar, wanted))


async def desk_of(auth: Identity) -> Desk:
    """A client, and a user who never was here."""
    await auth.register()
    made = await registered(auth, replace(REGISTRATION))
    return Desk(auth, made.client.id, made.secret)
