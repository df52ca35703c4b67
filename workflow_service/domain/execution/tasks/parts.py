"""Parts of calls, evaluated: addresses, mappings, credentials, resources.

Source: Open Workflow Specification, DSL reference, "URI Template", "Endpoint", "Authentication", "External Resource".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.authentication import (
    BasicAuthentication,
    BearerAuthentication,
    CertificateAuthentication,
    DigestAuthentication,
    OAuthAuthentication,
    SecretAuthentication,
)
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.credential_reading import read_credentials
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    Resource,
    SecretCredentials,
)
from workflow_service.domain.execution.problem import Raised, configuration, expression
from workflow_service.domain.expressions import ExpressionFailed, expand_uri

if TYPE_CHECKING:
    from workflow_service.domain.definition.authentication import Authentication
    from workflow_service.domain.definition.model import ExternalResource, TaskBase
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.expressions import JsonValue, Template


def uri(endpoint: Template, data: JsonValue, arguments: Arguments) -> str:
    """Return the URI that *endpoint* comes to; a literal one is a URI template.

    Raises:
        Raised: it comes to something else.
    """
    found = data_flow.render(endpoint, data, arguments)
    if not isinstance(found, str):
        raise Raised(configuration("the endpoint must come to a URI, as a string"))
    if not endpoint.constant:
        return found  # what an expression came to is data, not a template
    try:
        return expand_uri(found, data)
    except ExpressionFailed as failed:
        raise Raised(expression(failed.message)) from failed


def headers(wanted: Template | None, data: JsonValue, arguments: Arguments) -> dict[str, str]:
    """Return headers as texts, without those that came to null."""
    found = mapping(wanted, data, arguments, "headers")
    return {name: text(value) for name, value in found.items() if value is not None}


def mapping(
    wanted: Template | None, data: JsonValue, arguments: Arguments, what: str
) -> dict[str, JsonValue]:
    """Return the object that *wanted* comes to; nothing is the empty one.

    Raises:
        Raised: it comes to something else.
    """
    if wanted is None:
        return {}
    value = data_flow.render(wanted, data, arguments)
    if not isinstance(value, dict):
        raise Raised(configuration(f"{what} must come to an object"))
    return value


def word(wanted: Template, data: JsonValue, arguments: Arguments, what: str) -> str:
    """Return the text that *wanted* comes to.

    Raises:
        Raised: it comes to something else, or to nothing.
    """
    value = data_flow.render(wanted, data, arguments)
    if not isinstance(value, str) or not value:
        raise Raised(configuration(f"{what} must come to a text"))
    return value


def credentials(
    wanted: Authentication | None, data: JsonValue, arguments: Arguments
) -> Credentials | None:
    """Return what an authentication policy comes to.

    Raises:
        Raised: it comes to nothing that its scheme can use.
    """

    def rendered(template: Template) -> str:
        return text(data_flow.render(template, data, arguments))

    match wanted:
        case None:
            return None
        case BasicAuthentication(username, password):
            return BasicCredentials(rendered(username), rendered(password))
        case DigestAuthentication(username, password):
            return DigestCredentials(rendered(username), rendered(password))
        case BearerAuthentication(token):
            return BearerCredentials(rendered(token))
        case CertificateAuthentication(certificate, key, authority):
            trusted = "" if authority is None else rendered(authority)
            return CertificateCredentials(rendered(certificate), rendered(key), trusted)
        case SecretAuthentication(scheme, members):
            return SecretCredentials(scheme, data_flow.render(members, data, arguments))
        case OAuthAuthentication():
            return _oauth(wanted, data, arguments)


def _oauth(wanted: OAuthAuthentication, data: JsonValue, arguments: Arguments) -> Credentials:
    members = mapping(wanted.members, data, arguments, wanted.scheme)
    endpoints: dict[str, JsonValue] = {
        name: uri(each, data, arguments) for name, each in wanted.endpoints.items()
    }
    for name, value in wanted.fixed.items():
        members = {**members, name: _merged(members.get(name), value)}
    authority = uri(wanted.authority, data, arguments)
    return read_credentials(
        wanted.scheme, {**members, "authority": authority, "endpoints": endpoints}
    )


def _merged(some: JsonValue, more: JsonValue) -> JsonValue:
    return {**some, **more} if isinstance(some, dict) and isinstance(more, dict) else more


def resource(wanted: ExternalResource, data: JsonValue, arguments: Arguments) -> Resource:
    """Return where an external resource is, and what opens it."""
    return Resource(
        uri(wanted.endpoint, data, arguments),
        credentials(wanted.authentication, data, arguments),
    )


def allowed_time(
    advance: Advance, task: TaskBase, data: JsonValue, arguments: Arguments
) -> float | None:
    """Return the seconds that the task's own timeout gives it, for whoever is called to know; None without one."""
    if task.timeout is None:
        return None
    return data_flow.seconds(task.timeout, data, arguments, advance.limits.longest_delay)


def text(value: JsonValue) -> str:
    """Return a text or number as text.

    Raises:
        Raised: *value* is something else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Raised(configuration("a header or credential must come to a text or a number"))
