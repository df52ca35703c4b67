"""Pages as HTML, and the policy under which browsers show them."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from auth_service.application.oauth.browsing import (
    AccountLinkPage,
    ConsentPage,
    DevicePage,
    FactorPage,
    ForgotPasswordPage,
    LoginPage,
    LogoutPage,
    MessagePage,
    View,
)

_TEMPLATES: Final = {
    LoginPage: "login.html",
    FactorPage: "factor.html",
    ConsentPage: "consent.html",
    DevicePage: "device.html",
    LogoutPage: "logout.html",
    ForgotPasswordPage: "forgot_password.html",
    AccountLinkPage: "account_link.html",
    MessagePage: "message.html",
}
_POLICY: Final = (
    "default-src 'none'; style-src '{style}'; form-action {targets}; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def html(view: View) -> str:
    """The page."""
    # Ours, and the same for all: the policy names its hash.
    style = Markup(_style())  # noqa: S704
    return _environment().get_template(_TEMPLATES[type(view)]).render(page=view, style=style)


def security_policy(view: View) -> str:
    """The Content-Security-Policy of the page.

    Browsers apply `form-action` to redirects as well, so a form that may end at a client names it.
    """
    targets = "'none'"
    match view:
        case LoginPage() | FactorPage() | ConsentPage() | LogoutPage():
            targets = f"'self' {_source(view.form_target)}".strip()
        case DevicePage() | ForgotPasswordPage() | AccountLinkPage():
            targets = "'self'"
        case MessagePage():
            pass
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return _POLICY.format(style=f"sha256-{digest}", targets=targets)


def _source(target: str) -> str:
    """Policies have no words for IPv6 addresses: of those the scheme alone is named."""
    return target.partition("//")[0] if "[" in target else target


@cache
def _style() -> str:
    return _resource("style.css")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    names = ("base.html", *_TEMPLATES.values())
    return ImmutableSandboxedEnvironment(
        loader=DictLoader({name: _resource(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )


def _resource(name: str) -> str:
    return files("auth_service.entrypoints.pages").joinpath(name).read_text(encoding="utf-8")
