"""What browsers ask, and what they are shown or where they are sent."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from auth_service.application.oauth.digests import digest_of, is_opaque, opaque
from auth_service.application.ports import Randomness
from auth_service.domain.oauth.authorization import ResponseMode, ReturnAddress
from auth_service.domain.oauth.errors import Code
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.session import Origin


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a browser."""

    parameters: Parameters = field(repr=False)
    cookie: str = field(repr=False)
    issuer: str
    origin: Origin
    device: str = field(default="", repr=False)
    """The token of a remembered device; "" for none."""


@dataclass(frozen=True, slots=True)
class LoginPage:
    """Asks for e-mail address and password."""

    request_id: str
    csrf: str
    client_name: str
    email: str = ""
    problem: str = ""
    form_target: str = ""
    tenant: str = ""
    """Whose passwords can be lost here."""


@dataclass(frozen=True, slots=True)
class FactorPage:
    """Asks for a code. *methods* are those that have codes to be chosen from, recovery aside."""

    request_id: str
    csrf: str
    client_name: str
    mfa_token: str
    methods: Sequence[str]
    recovery: bool
    chosen: str = ""
    notice: str = ""
    problem: str = ""
    form_target: str = ""


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Asks whether the client may do what it wants to."""

    request_id: str
    csrf: str
    client_name: str
    user: str
    wishes: Sequence[str]
    user_code: bool = False
    """It is about a device, so that nobody approves somebody else's."""
    form_target: str = ""


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Asks for the code on a device's screen."""

    csrf: str
    user_code: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LogoutPage:
    """Asks whether the login shall end."""

    csrf: str
    user: str
    hidden: tuple[tuple[str, str], ...] = ()
    form_target: str = ""


@dataclass(frozen=True, slots=True)
class ForgotPasswordPage:
    """Asks whose password is lost."""

    csrf: str
    tenant: str
    asks_tenant: bool
    """There are several, and the address alone does not say which."""
    email: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AccountLinkPage:
    """Where the link in a mail leads. Sending it uses the link up."""

    path: str
    title: str
    lead: str
    button: str
    csrf: str
    token: str = field(repr=False)
    email: str
    """The address that the link was mailed to."""
    password: bool
    """It sets one."""
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Says something, and there is nothing to do about it but to go on to *onward*, if anything."""

    title: str
    message: str
    is_problem: bool = True
    onward: tuple[str, str] | None = None
    """A path of ours, and what it is."""


View = (
    LoginPage
    | FactorPage
    | ConsentPage
    | DevicePage
    | LogoutPage
    | ForgotPasswordPage
    | AccountLinkPage
    | MessagePage
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page. *cookie* is our cookie from now on; None leaves it."""

    view: View
    status: int = 200
    cookie: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Somewhere else, by 303: what was posted is not posted there (RFC 9700 section 4.12)."""

    location: str
    cookie: str | None = None
    device: str | None = None
    """The token of a remembered device from now on; None leaves it."""


Reaction = Shown | Sent


@dataclass(frozen=True, slots=True)
class Cookie:
    """Our cookie as a browser has it, or as it will have it."""

    value: str
    is_new: bool

    @property
    def digest(self) -> bytes:
        """What stores know it by."""
        return digest_of(self.value)

    @property
    def to_set(self) -> str | None:
        """What the answer sets."""
        return self.value if self.is_new else None

    def csrf(self, purpose: str) -> str:
        """A token that only pages for this browser have; each is good for one *purpose*."""
        tag = hmac.digest(self.value.encode(), f"csrf:{purpose}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(tag).rstrip(b"=").decode()

    def accepts(self, token: str, purpose: str) -> bool:
        """Whether *token* comes from a page for this browser."""
        return not self.is_new and hmac.compare_digest(
            token.encode("utf-8", "replace"), self.csrf(purpose).encode()
        )


def cookie_of(visit: Visit, randomness: Randomness) -> Cookie:
    """The cookie that came, or a new one."""
    if is_opaque(visit.cookie):
        return Cookie(visit.cookie, is_new=False)
    return Cookie(opaque(randomness), is_new=True)


def answered_at(target: ReturnAddress, issuer: str, **members: str) -> str:
    """The redirect to *target* with *members*, `state`, and who answers (RFC 9207)."""
    said = {**members, "state": target.state, "iss": issuer}
    text = urlencode({name: value for name, value in said.items() if value})
    if target.mode is ResponseMode.FRAGMENT:
        return f"{target.redirect_uri}#{text}"
    return f"{target.redirect_uri}{'&' if '?' in target.redirect_uri else '?'}{text}"


def refused_at(target: ReturnAddress, issuer: str, code: Code, description: str) -> str:
    """The redirect that tells a client no (RFC 6749 section 4.1.2.1)."""
    return answered_at(target, issuer, error=code.value, error_description=description)


def problem(message: str, status: int = 400, cookie: str | None = None) -> Shown:
    """A page that says what is wrong."""
    return Shown(MessagePage("This did not work", message), status, cookie)


CSRF = problem(
    "The form did not come from a page that was shown to you, or that page is too old "
    "(csrf). Go back and try again.",
    403,
)
LOST = problem(
    "This sign-in has ended, or was begun in another browser. Go back to the application and "
    "start again."
)
