"""Failures as OAuth's clients and browsers understand them, where the contract's own shape would not do."""

from html import escape
from typing import Final

import msgspec

from chassis.errors import Kind, ServiceError
from gateway.routes.problems import FACES, JSON, Rendered, status_of
from gateway.routes.route import Dialect

_OAUTH: Final = {
    Kind.RATE_LIMITED: "temporarily_unavailable",
    Kind.UNAVAILABLE: "temporarily_unavailable",
    Kind.DEADLINE_EXCEEDED: "temporarily_unavailable",
    Kind.INTERNAL: "server_error",
    Kind.CANCELLED: "server_error",
}
"""Everything else is `invalid_request` (RFC 6749 section 5.2)."""

_PLAIN_400: Final = frozenset({Kind.MALFORMED, Kind.INVALID, Kind.UNSUPPORTED_MEDIA_TYPE})
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>{title}</h1><p role="alert">{message}</p></main></body></html>
"""


def translated(rendered: Rendered, error: ServiceError, dialect: Dialect) -> Rendered:
    """*rendered*, in the shape that who speaks *dialect* expects."""
    match dialect:
        case Dialect.API:
            return rendered
        case Dialect.OAUTH:
            members = {"error": _OAUTH.get(error.kind, "invalid_request")}
            members["error_description"] = error.message.encode("ascii", "replace").decode()
            status = 400 if error.kind in _PLAIN_400 else status_of(error)
            return Rendered(status, JSON, msgspec.json.encode(members), rendered.headers)
        case Dialect.PAGE:
            title = FACES[error.kind].title
            page = _PAGE.format(title=escape(title), message=escape(error.message or title))
            return Rendered(rendered.status, "text/html", page.encode(), rendered.headers)
