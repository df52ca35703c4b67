"""What callers send beside their requests."""

from typing import Any, NamedTuple, TypeAlias

import grpc

from chassis.errors import Unauthenticated
from chassis.rpc.context import ADDRESS

# In quotes, since it is generic only in the stubs.
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Sent(NamedTuple):
    """A bearer token, the request's id and trace, and where the caller says the client is."""

    token: str | None
    request_id: str | None
    traceparent: str | None
    address: str


def read(context: _Context) -> Sent:
    """What came with a call.

    Raises:
        Unauthenticated: there are two tokens, or what there is is none.
    """
    token = request_id = traceparent = None
    address = ""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization":
            if token is not None:
                raise Unauthenticated("one token is enough")
            token = _bearer(value)
        elif name == "x-request-id":
            request_id = _identifier(value)
        elif name == "traceparent" and isinstance(value, str):
            traceparent = value
        elif name == ADDRESS:
            address = _identifier(value) or ""
    return Sent(token, request_id, traceparent, address)


def peer_of(context: _Context) -> str:
    """The address of who calls; gRPC writes `ipv4:127.0.0.1:5000`, `ipv6:%5B::1%5D:5000`."""
    address = context.peer().partition(":")[2].rpartition(":")[0]
    return address.replace("%5B", "").replace("%5D", "")


def _bearer(value: str | bytes) -> str:
    scheme, _, token = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("a bearer token is needed")
    return token


def _identifier(value: str | bytes) -> str | None:
    """*value* if it can stand in a log; else the caller's id is not worth keeping."""
    good = isinstance(value, str) and 0 < len(value) <= 128 and value.isascii()
    return str(value) if good and str(value).isprintable() else None
