"""What an AsyncAPI document says about one operation: channel, server, bindings.

Source: AsyncAPI 2.6 and 3.0. In 2.x a channel has its operations, and its name is its address; in 3.0 operations name
their channel, which has an address. Either way an operation may be named by its id, and a channel by its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from workflow_service.adapters.task_runners.asyncapi.references import (
    AsyncApiInvalid,
    Document,
    text_of,
)
from workflow_service.domain.execution.effects import AsyncApiTarget
from workflow_service.domain.expressions import JsonValue

Verb: TypeAlias = Literal["publish", "subscribe"]
Protocol: TypeAlias = Literal["amqp", "http", "ws"]

_SPOKEN: Final[Mapping[str, Protocol]] = {
    "amqp": "amqp",
    "amqps": "amqp",
    "http": "http",
    "https": "http",
    "ws": "ws",
    "wss": "ws",
}
_PARAMETER: Final = re.compile(r"\{([^{}]*)\}")
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an operation is performed, and how."""

    protocol: Protocol
    url: str
    """Of the server: scheme, host, port and path."""
    address: str
    """Of the channel."""
    channel: Mapping[str, JsonValue]
    """Bindings of the channel for the protocol."""
    operation: Mapping[str, JsonValue]
    """Bindings of the operation for the protocol."""
    content_type: str


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    channel: Mapping[str, JsonValue]
    operation: Mapping[str, JsonValue]


def destination(root: JsonValue, target: AsyncApiTarget, verb: Verb) -> Destination:
    """Return where *target* leads according to the document *root*.

    Raises:
        AsyncApiInvalid: it leads nowhere, or to a server whose protocol is not spoken here.
    """
    document = Document(root)
    modern = document.version.startswith("3.")
    if not modern and not document.version.startswith("2."):
        raise AsyncApiInvalid("the document is not AsyncAPI 2 or 3")
    found = _modern(document, target) if modern else _classic(document, target, verb)
    server = _server(document, found.channel, target)
    protocol = _spoken(server)
    return Destination(
        protocol=protocol,
        url=_url(document, server, target.variables, modern=modern),
        address=_address(document, found, modern=modern),
        channel=_bindings(document, found.channel, protocol),
        operation=_bindings(document, found.operation, protocol),
        content_type=_content_type(document, found),
    )


def _classic(document: Document, target: AsyncApiTarget, verb: Verb) -> _Found:
    for name, value in document.section("channels").items():
        channel = document.object(value)
        for kind in ("publish", "subscribe"):
            operation = document.object(channel.get(kind))
            if target.operation and operation.get("operationId") == target.operation:
                return _Found(name, channel, operation)
        if target.channel == name:
            if verb not in channel:
                raise AsyncApiInvalid(f"the channel {name[:200]!r} has no {verb} operation")
            return _Found(name, channel, document.object(channel.get(verb)))
    raise _unknown(target)


def _modern(document: Document, target: AsyncApiTarget) -> _Found:
    channels = document.section("channels")
    if not target.operation:
        if target.channel not in channels:
            raise _unknown(target)
        return _Found(target.channel, document.object(channels[target.channel]), {})
    operations = document.section("operations")
    if target.operation not in operations:
        raise _unknown(target)
    operation = document.object(operations[target.operation])
    channel = document.object(operation.get("channel"))
    name = next((key for key, each in channels.items() if document.object(each) is channel), "")
    return _Found(name, channel, operation)


def _unknown(target: AsyncApiTarget) -> AsyncApiInvalid:
    what = "operation" if target.operation else "channel"
    name = target.operation or target.channel
    return AsyncApiInvalid(f"the AsyncAPI document has no {what} {name[:200]!r}")


# ------------------------------------------------------------ servers
def _server(
    document: Document, channel: Mapping[str, JsonValue], target: AsyncApiTarget
) -> Mapping[str, JsonValue]:
    servers = document.section("servers")
    if target.server:
        if target.server not in servers:
            known = ", ".join(servers) or "none"
            told = f"the AsyncAPI document has no server {target.server[:200]!r}: it has {known}"
            raise AsyncApiInvalid(told)
        return document.object(servers[target.server])
    for server in _servers_of(document, channel):
        if not target.protocol or _same(text_of(server, "protocol"), target.protocol):
            return server
    wanted = f" that speaks {target.protocol}" if target.protocol else ""
    raise AsyncApiInvalid(f"the channel has no server{wanted}")


def _servers_of(
    document: Document, channel: Mapping[str, JsonValue]
) -> Iterator[Mapping[str, JsonValue]]:
    """Yield the servers of a channel: those that it names, or all."""
    servers = document.section("servers")
    listed = channel.get("servers")
    for each in listed if isinstance(listed, list) and listed else servers.values():
        yield document.object(servers.get(each) if isinstance(each, str) else each)


def _same(protocol: str, wanted: str) -> bool:
    spoken = _SPOKEN.get(protocol.lower())
    return protocol.lower() == wanted or (spoken is not None and spoken == _SPOKEN.get(wanted))


def _spoken(server: Mapping[str, JsonValue]) -> Protocol:
    protocol = text_of(server, "protocol").lower()
    spoken = _SPOKEN.get(protocol)
    if spoken is None:
        told = f"the protocol {protocol[:80]!r} of the server is not spoken here"
        raise AsyncApiInvalid(f"{told}: amqp, http and ws are")
    return spoken


def _url(
    document: Document,
    server: Mapping[str, JsonValue],
    given: Mapping[str, str],
    *,
    modern: bool,
) -> str:
    scheme = text_of(server, "protocol").lower()
    place = text_of(server, "host") + text_of(server, "pathname") if modern else ""
    place = place or text_of(server, "url")
    variables = document.object(server.get("variables"))
    place = _filled(document, place, variables, given, "the variable")
    return place if "://" in place else f"{scheme}://{place}"


# ------------------------------------------------------------ channels
def _address(document: Document, found: _Found, *, modern: bool) -> str:
    address = text_of(found.channel, "address") if modern else ""
    parameters = document.object(found.channel.get("parameters"))
    return _filled(document, address or found.name, parameters, {}, "the parameter")


def _filled(
    document: Document,
    text: str,
    known: Mapping[str, JsonValue],
    given: Mapping[str, str],
    what: str,
) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        member = document.object(known.get(name))
        default = member.get("default", document.object(member.get("schema")).get("default"))
        chosen = given.get(name, default)
        if not isinstance(chosen, str):
            raise AsyncApiInvalid(f"{what} {name[:80]!r} has no value")
        allowed = member.get("enum")
        if isinstance(allowed, list) and allowed and chosen not in allowed:
            raise AsyncApiInvalid(f"{what} {name[:80]!r} may not have that value")
        return chosen

    return _PARAMETER.sub(value, text)


def _bindings(
    document: Document, members: Mapping[str, JsonValue], protocol: Protocol
) -> Mapping[str, JsonValue]:
    return document.object(document.object(members.get("bindings")).get(protocol))


def _content_type(document: Document, found: _Found) -> str:
    """Return what its first message says, or the document for all messages."""
    message = document.object(found.operation.get("message"))
    listed = message.get("oneOf", found.operation.get("messages"))
    if isinstance(listed, list) and listed:
        message = document.object(listed[0])
    return text_of(message, "contentType") or document.text("defaultContentType") or _JSON
