"""Every translation between protobuf messages and the endpoints of OAuth."""

from collections.abc import Iterable, Mapping
from typing import TypeVar, assert_never

import msgspec

from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.browsing import Reaction, Sent, Shown, Visit
from auth_service.application.ports.oauth import Consent
from auth_service.domain.errors import InputInvalid
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.session import MAX_ADDRESS, MAX_USER_AGENT, Origin
from auth_service.entrypoints.oauth_client_messages import timestamp
from auth_service.entrypoints.pages.rendering import html, security_policy
from chassis.errors import FieldProblem
from protos.auth.v1 import auth_pb2, oauth_pb2

_T = TypeVar("_T")


def chosen(number: int, known: Mapping[int, _T]) -> _T:
    """Raises `InputInvalid` unless it is one that there is."""
    found = known.get(number)
    if found is None:
        raise InputInvalid([FieldProblem("endpoint", "There is no such endpoint")])
    return found


def to_asked(request: oauth_pb2.AskEndpointRequest) -> Asked:
    """The form that a client sent."""
    return Asked(
        parameters=_parameters(request.parameters),
        authorization=request.authorization,
        issuer=request.issuer,
        origin=_origin(request.origin),
    )


def from_answer(answer: Answer) -> oauth_pb2.AskEndpointResponse:
    """What the client gets."""
    return oauth_pb2.AskEndpointResponse(
        status=answer.status,
        body=msgspec.json.encode(answer.members) if answer.members else b"",
        www_authenticate=answer.challenge,
    )


def to_visit(request: oauth_pb2.BrowseRequest) -> Visit:
    """The request of a browser."""
    return Visit(
        parameters=_parameters(request.parameters),
        cookie=request.cookie,
        issuer=request.issuer,
        origin=_origin(request.origin),
        device=request.device,
    )


def from_reaction(reaction: Reaction) -> oauth_pb2.BrowseResponse:
    """The page, or where the browser goes."""
    match reaction:
        case Sent(location, cookie, device):
            return oauth_pb2.BrowseResponse(
                status=303, location=location, cookie=cookie, device=device
            )
        case Shown(view, status, cookie, retry_after):
            return oauth_pb2.BrowseResponse(
                status=status,
                html=html(view),
                content_security_policy=security_policy(view),
                cookie=cookie,
                retry_after=retry_after or 0.0,
            )
        case _:
            assert_never(reaction)


def from_consents(consents: Iterable[Consent]) -> oauth_pb2.ListConsentsResponse:
    """What a user has agreed to."""
    return oauth_pb2.ListConsentsResponse(
        consents=[
            oauth_pb2.Consent(
                client_id=each.client_id,
                client_name=each.client_name,
                scopes=each.scopes,
                granted_at=timestamp(each.granted_at),
            )
            for each in consents
        ]
    )


def _parameters(parameters: Iterable[oauth_pb2.Parameter]) -> Parameters:
    return Parameters.of([(each.name, each.value) for each in parameters])


def _origin(origin: auth_pb2.Origin) -> Origin:
    """Cut to length: what a browser says of itself is no reason to refuse it."""
    return Origin(origin.address[:MAX_ADDRESS], origin.user_agent[:MAX_USER_AGENT])
