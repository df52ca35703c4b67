"""A browser for tests: our cookie, redirects one by one, forms as they stand on the page."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.oauth import CALLBACK, Answer, Web

COOKIE = "__Host-autoworker"
DEVICE = "__Host-autoworker-device"
VERIFIER = "v" * 43


def challenge(verifier: str = VERIFIER) -> str:
    """Its S256 challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a password."""

    email: str
    password: str


class _Forms(HTMLParser):
    """The first form of a page, and the texts of its alerts."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.alert = ""
        self._in_alert = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = found["action"]
        if tag == "input" and "name" in found:
            self.fields[found["name"]] = found.get("value", "")
        self._in_alert = found.get("role") == "alert"

    def handle_data(self, data: str) -> None:
        if self._in_alert:
            self.alert += data
            self._in_alert = False


@dataclass(slots=True)
class Browser:
    """One browser. *page* is what it shows."""

    web: Web
    cookie: str = ""
    page: Answer | None = None
    seen: list[str] = field(default_factory=list)
    device: str = ""

    async def go(self, location: str, *, follow: bool = True) -> Answer:
        """Open *location*, and what it leads to on this server."""
        parts = urlsplit(location)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return await self._step("GET", path, follow)

    async def send(self, *, follow: bool = True, **values: str) -> Answer:
        """Fill in the form on the page and send it."""
        forms = self.forms
        return await self._step("POST", forms.action, follow, {**forms.fields, **values})

    async def post(self, path: str, values: Mapping[str, str]) -> Answer:
        """Send a form that is on no page of ours."""
        return await self._step("POST", path, False, values)

    async def sign_in(self, person: Person, **arguments: Any) -> Answer:
        """Send the login form."""
        return await self.send(email=person.email, password=person.password, **arguments)

    @property
    def forms(self) -> _Forms:
        """What is on the page."""
        assert self.page is not None
        forms = _Forms()
        forms.feed(self.page.text)
        return forms

    async def _step(
        self, method: str, path: str, follow: bool, values: Mapping[str, str] | None = None
    ) -> Answer:
        kept = {COOKIE: self.cookie, DEVICE: self.device}
        sent = "; ".join(f"{name}={value}" for name, value in kept.items() if value)
        headers = {"Cookie": sent} if sent else {}
        arguments: dict[str, Any] = {} if values is None else {"data": dict(values)}
        answer = await self.web.ask(method, path, headers=headers, **arguments)
        self.page = answer
        self.seen.append(f"{method} {path.partition('?')[0]} {answer.status}")
        self.cookie = answer.cookies.get(COOKIE, self.cookie)
        self.device = answer.cookies.get(DEVICE, self.device)
        location = answer.headers.get("Location", "")
        if follow and location.startswith(self.web.url):
            return await self.go(location)
        return answer


def asked(client: Mapping[str, Any], **parameters: str) -> str:
    """The address of a good authorization request; an empty parameter is left out."""
    values = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        **parameters,
    }
    kept = {name: value for name, value in values.items() if value}
    return f"/oauth2/authorize?{urlencode(kept)}"


def returned(answer: Answer) -> dict[str, str]:
    """What a redirect brings to the client."""
    assert answer.status == 303, answer.text
    location = urlsplit(answer.headers["Location"])
    return dict(parse_qsl(location.query or location.fragment))


async def code_for(
    browser: Browser, client: Mapping[str, Any], person: Person, **parameters: str
) -> str:
    """The code of a whole walk: request, login and consent where they are asked for."""
    answer = await browser.go(asked(client, **parameters))
    if "step" in browser.forms.fields and browser.forms.fields["step"] == "login":
        answer = await browser.sign_in(person)
    if answer.status == 200:
        answer = await browser.send(decision="allow")
    return returned(answer)["code"]


async def redeemed(web: Web, client: Mapping[str, Any], code: str, **values: str) -> Answer:
    """The token endpoint's answer to *code*."""
    named = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER, **values}
    kept = {name: value for name, value in named.items() if value}
    return await web.token(client, grant_type="authorization_code", code=code, **kept)


def stranger() -> str:
    """An opaque token that nobody issued."""
    return secrets.token_urlsafe(32)
