"""What protocol endpoints are asked, and what they answer."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.session import Origin


@dataclass(frozen=True, slots=True)
class Asked:
    """A form that a client sent to an endpoint of the protocol."""

    parameters: Parameters = field(repr=False)
    authorization: str = field(repr=False)
    """The header, "" without one."""
    issuer: str
    """The address under which the world knows this server, without a slash at its end."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the members of a JSON object; no members: an empty body."""

    status: int
    members: Mapping[str, object]
    challenge: str = ""
    """`WWW-Authenticate`, when there is one."""


Endpoint = Callable[[Asked], Coroutine[Any, Any, Answer]]
"""An endpoint that clients ask."""


def refusal(error: OAuthRefused, asked: Asked) -> Answer:
    """*error* as RFC 6749 section 5.2 has it."""
    members = {"error": error.code.value, "error_description": error.description}
    challenge = ""
    if error.code is Code.INVALID_CLIENT and asked.authorization:
        challenge = 'Basic realm="autoworker"'
    return Answer(error.status, members, challenge)


def answering(
    handler: Endpoint,
) -> Endpoint:
    """*handler*, whose refusals are answers."""

    async def answer(asked: Asked) -> Answer:
        try:
            asked.parameters.check()
            return await handler(asked)
        except OAuthRefused as exc:
            return refusal(exc, asked)

    return answer
