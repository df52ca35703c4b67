"""The gRPC face of OAuth's endpoints: translate in, call one use case, translate out."""

from typing import Any, TypeAlias

import grpc

from auth_service.application.app import Application
from auth_service.application.commands.oauth.withdraw_consent import (
    ListConsents,
    WithdrawConsent,
)
from auth_service.application.groups.accounts import AccountPageCases
from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.browsing import Reaction, Visit
from auth_service.application.queries.oauth.metadata import GetMetadata
from auth_service.application.use_case import UseCase
from auth_service.domain.account import Purpose
from auth_service.entrypoints import oauth_messages as messages
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import oauth_pb2, oauth_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.OAuthService"
_SELF = "users:self"
_GATEWAY = ServiceOnly(frozenset({"gateway"}))

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/AskEndpoint": _GATEWAY,
    f"{_SERVICE}/Browse": _GATEWAY,
    f"{_SERVICE}/GetMetadata": _GATEWAY,
    f"{_SERVICE}/ListConsents": _SELF,
    f"{_SERVICE}/WithdrawConsent": _SELF,
}
"""Who may call what."""


class OAuthApi(oauth_pb2_grpc.OAuthServiceServicer):
    """OAuthService of protos/auth/v1/oauth.proto."""

    def __init__(self, app: Application) -> None:
        self._oauth = app.oauth
        asked, seen = app.oauth.endpoints, app.oauth.pages
        self._endpoints: dict[int, UseCase[Asked, Answer]] = {
            oauth_pb2.ENDPOINT_TOKEN: asked.token,
            oauth_pb2.ENDPOINT_REVOCATION: asked.revocation,
            oauth_pb2.ENDPOINT_INTROSPECTION: asked.introspection,
            oauth_pb2.ENDPOINT_PUSHED_AUTHORIZATION: asked.pushed_authorization,
            oauth_pb2.ENDPOINT_DEVICE_AUTHORIZATION: asked.device_authorization,
            oauth_pb2.ENDPOINT_USERINFO: asked.userinfo,
        }
        self._pages: dict[int, UseCase[Visit, Reaction]] = {
            oauth_pb2.PAGE_AUTHORIZE: seen.authorize,
            oauth_pb2.PAGE_CONTINUE: seen.show,
            oauth_pb2.PAGE_SUBMIT: seen.submit,
            oauth_pb2.PAGE_DEVICE: seen.show_device,
            oauth_pb2.PAGE_DEVICE_SUBMIT: seen.submit_device,
            oauth_pb2.PAGE_LOGOUT: seen.end_session,
            oauth_pb2.PAGE_LOGOUT_SUBMIT: seen.confirm_end_session,
            **_account_pages(app.accounts.pages),
        }

    async def AskEndpoint(  # noqa: N802
        self, request: oauth_pb2.AskEndpointRequest, context: _Context
    ) -> oauth_pb2.AskEndpointResponse:
        """A client asks one of the protocol's endpoints."""
        endpoint = messages.chosen(request.endpoint, self._endpoints)
        return messages.from_answer(await endpoint(messages.to_asked(request)))

    async def Browse(  # noqa: N802
        self, request: oauth_pb2.BrowseRequest, context: _Context
    ) -> oauth_pb2.BrowseResponse:
        """A browser asks for a page, or sends one back."""
        page = messages.chosen(request.page, self._pages)
        return messages.from_reaction(await page(messages.to_visit(request)))

    async def GetMetadata(  # noqa: N802
        self, request: oauth_pb2.GetMetadataRequest, context: _Context
    ) -> oauth_pb2.GetMetadataResponse:
        """What this server can do."""
        metadata = await self._oauth.metadata(GetMetadata(request.issuer))
        return oauth_pb2.GetMetadataResponse(metadata=metadata)

    async def ListConsents(  # noqa: N802
        self, request: oauth_pb2.ListConsentsRequest, context: _Context
    ) -> oauth_pb2.ListConsentsResponse:
        """What the caller has agreed to."""
        query = ListConsents(current_call().principal.id)
        return messages.from_consents(await self._oauth.list_consents(query))

    async def WithdrawConsent(  # noqa: N802
        self, request: oauth_pb2.WithdrawConsentRequest, context: _Context
    ) -> oauth_pb2.WithdrawConsentResponse:
        """The caller takes it back."""
        caller = current_call().principal
        await self._oauth.withdraw_consent(
            WithdrawConsent(caller.tenant, caller.id, request.client_id)
        )
        return oauth_pb2.WithdrawConsentResponse()


def _account_pages(pages: AccountPageCases) -> dict[int, UseCase[Visit, Reaction]]:
    reset, invitation = pages.links[Purpose.RESET_PASSWORD], pages.links[Purpose.INVITATION]
    verify, change = pages.links[Purpose.VERIFY_EMAIL], pages.links[Purpose.CHANGE_EMAIL]
    return {
        oauth_pb2.PAGE_FORGOT_PASSWORD: pages.forgot,
        oauth_pb2.PAGE_FORGOT_PASSWORD_SUBMIT: pages.submit_forgot,
        oauth_pb2.PAGE_RESET_PASSWORD: reset.show,
        oauth_pb2.PAGE_RESET_PASSWORD_SUBMIT: reset.submit,
        oauth_pb2.PAGE_INVITATION: invitation.show,
        oauth_pb2.PAGE_INVITATION_SUBMIT: invitation.submit,
        oauth_pb2.PAGE_VERIFY_EMAIL: verify.show,
        oauth_pb2.PAGE_VERIFY_EMAIL_SUBMIT: verify.submit,
        oauth_pb2.PAGE_CONFIRM_EMAIL: change.show,
        oauth_pb2.PAGE_CONFIRM_EMAIL_SUBMIT: change.submit,
    }


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the use cases of *app*."""
    server.add(oauth_pb2_grpc.add_OAuthServiceServicer_to_server, OAuthApi(app))
