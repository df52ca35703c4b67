"""OAuth at the auth service, over gRPC."""

from typing import Final

from msgspec import UNSET, Raw, UnsetType

from chassis.rpc.client import RpcClient
from gateway.adapters.times import known_moment
from gateway.ports import Caller, Page, PageRequest
from gateway.ports.oauth import (
    ClientMetadata,
    Endpoint,
    Form,
    GivenConsent,
    GivenConsents,
    OAuthClient,
    OAuthPage,
    PageAnswer,
    PageRequested,
    ProtocolAnswer,
    RotatedSecret,
)
from protos.auth.v1 import auth_pb2
from protos.auth.v1 import oauth_pb2 as pb
from protos.auth.v1.oauth_pb2_grpc import OAuthClientServiceStub, OAuthServiceStub

_ENDPOINTS: Final = {
    Endpoint.TOKEN: pb.ENDPOINT_TOKEN,
    Endpoint.REVOCATION: pb.ENDPOINT_REVOCATION,
    Endpoint.INTROSPECTION: pb.ENDPOINT_INTROSPECTION,
    Endpoint.PUSHED_AUTHORIZATION: pb.ENDPOINT_PUSHED_AUTHORIZATION,
    Endpoint.DEVICE_AUTHORIZATION: pb.ENDPOINT_DEVICE_AUTHORIZATION,
    Endpoint.USERINFO: pb.ENDPOINT_USERINFO,
}

_PAGES: Final = {
    OAuthPage.AUTHORIZE: pb.PAGE_AUTHORIZE,
    OAuthPage.CONTINUE: pb.PAGE_CONTINUE,
    OAuthPage.SUBMIT: pb.PAGE_SUBMIT,
    OAuthPage.DEVICE: pb.PAGE_DEVICE,
    OAuthPage.DEVICE_SUBMIT: pb.PAGE_DEVICE_SUBMIT,
    OAuthPage.LOGOUT: pb.PAGE_LOGOUT,
    OAuthPage.LOGOUT_SUBMIT: pb.PAGE_LOGOUT_SUBMIT,
    OAuthPage.FORGOT_PASSWORD: pb.PAGE_FORGOT_PASSWORD,
    OAuthPage.FORGOT_PASSWORD_SUBMIT: pb.PAGE_FORGOT_PASSWORD_SUBMIT,
    OAuthPage.RESET_PASSWORD: pb.PAGE_RESET_PASSWORD,
    OAuthPage.RESET_PASSWORD_SUBMIT: pb.PAGE_RESET_PASSWORD_SUBMIT,
    OAuthPage.INVITATION: pb.PAGE_INVITATION,
    OAuthPage.INVITATION_SUBMIT: pb.PAGE_INVITATION_SUBMIT,
    OAuthPage.VERIFY_EMAIL: pb.PAGE_VERIFY_EMAIL,
    OAuthPage.VERIFY_EMAIL_SUBMIT: pb.PAGE_VERIFY_EMAIL_SUBMIT,
    OAuthPage.CONFIRM_EMAIL: pb.PAGE_CONFIRM_EMAIL,
    OAuthPage.CONFIRM_EMAIL_SUBMIT: pb.PAGE_CONFIRM_EMAIL_SUBMIT,
}


class OAuthOverGrpc:
    """Implements the port `OAuthEndpoints`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = OAuthServiceStub(client.channel)

    async def ask(self, endpoint: Endpoint, form: Form) -> ProtocolAnswer:
        """See `OAuthEndpoints.ask`."""
        request = pb.AskEndpointRequest(
            endpoint=_ENDPOINTS[endpoint],
            parameters=_parameters(form),
            authorization=form.authorization,
            issuer=form.issuer,
            origin=_origin(form),
        )
        response = await self._call(self._stub.AskEndpoint, request)
        return ProtocolAnswer(response.status, response.body, response.www_authenticate)

    async def metadata(self, issuer: str) -> bytes:
        """See `OAuthEndpoints.metadata`."""
        response = await self._call(
            self._stub.GetMetadata, pb.GetMetadataRequest(issuer=issuer), timeout=5.0
        )
        return response.metadata


class OAuthPagesOverGrpc:
    """Implements the ports `OAuthPages` and `Consents`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = OAuthServiceStub(client.channel)

    async def browse(self, page: OAuthPage, requested: PageRequested) -> PageAnswer:
        """See `OAuthPages.browse`."""
        request = pb.BrowseRequest(
            page=_PAGES[page],
            parameters=_parameters(requested),
            cookie=requested.cookie,
            issuer=requested.issuer,
            origin=_origin(requested),
            device=requested.device,
        )
        found = await self._call(self._stub.Browse, request)
        return PageAnswer(
            status=found.status,
            location=found.location,
            html=found.html,
            policy=found.content_security_policy,
            cookie=found.cookie if found.HasField("cookie") else None,
            retry_after=found.retry_after,
            device=found.device if found.HasField("device") else None,
        )

    async def consents(self, caller: Caller) -> GivenConsents:
        """See `Consents.consents`."""
        found = await self._call(
            self._stub.ListConsents, pb.ListConsentsRequest(), token=caller.credential
        )
        return GivenConsents(
            [
                GivenConsent(
                    each.client_id,
                    each.client_name,
                    " ".join(each.scopes),
                    known_moment(each.granted_at),
                )
                for each in found.consents
            ]
        )

    async def withdraw_consent(self, caller: Caller, client_id: str) -> None:
        """See `Consents.withdraw_consent`."""
        request = pb.WithdrawConsentRequest(client_id=client_id)
        await self._call(self._stub.WithdrawConsent, request, token=caller.credential)


class OAuthClientsOverGrpc:
    """Implements the port `OAuthClients`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = OAuthClientServiceStub(client.channel)

    async def create_client(self, caller: Caller, metadata: ClientMetadata) -> OAuthClient:
        """See `OAuthClients.create_client`."""
        request = pb.CreateClientRequest(client=_message(metadata))
        made = await self._call(self._stub.CreateClient, request, token=caller.credential)
        return _client(made.client, made.secret)

    async def client(self, caller: Caller, client_id: str) -> OAuthClient:
        """See `OAuthClients.client`."""
        request = pb.GetClientRequest(id=client_id)
        found = await self._call(self._stub.GetClient, request, token=caller.credential)
        return _client(found.client)

    async def clients(self, caller: Caller, page: PageRequest) -> Page[OAuthClient]:
        """See `OAuthClients.clients`."""
        request = pb.ListClientsRequest(limit=page.limit, cursor=page.cursor)
        found = await self._call(self._stub.ListClients, request, token=caller.credential)
        return Page([_client(each) for each in found.clients], found.next_cursor or None)

    async def update_client(
        self, caller: Caller, client_id: str, metadata: ClientMetadata
    ) -> OAuthClient:
        """See `OAuthClients.update_client`."""
        request = pb.UpdateClientRequest(client=_message(metadata, client_id))
        found = await self._call(self._stub.UpdateClient, request, token=caller.credential)
        return _client(found.client)

    async def delete_client(self, caller: Caller, client_id: str) -> None:
        """See `OAuthClients.delete_client`."""
        request = pb.DeleteClientRequest(id=client_id)
        await self._call(self._stub.DeleteClient, request, token=caller.credential)

    async def rotate_secret(
        self, caller: Caller, client_id: str, overlap: int | None
    ) -> RotatedSecret:
        """See `OAuthClients.rotate_secret`."""
        request = pb.RotateClientSecretRequest(id=client_id, overlap_seconds=overlap)
        made = await self._call(self._stub.RotateClientSecret, request, token=caller.credential)
        return RotatedSecret(client_id, made.secret, known_moment(made.previous_expires_at))


def _parameters(form: Form | PageRequested) -> list[pb.Parameter]:
    return [pb.Parameter(name=name, value=value) for name, value in form.parameters]


def _origin(form: Form | PageRequested) -> auth_pb2.Origin:
    return auth_pb2.Origin(address=form.origin.address, user_agent=form.origin.user_agent)


def _message(metadata: ClientMetadata, client_id: str = "") -> pb.OAuthClient:
    return pb.OAuthClient(
        id=client_id,
        name=metadata.client_name,
        application_type=metadata.application_type,
        token_endpoint_auth_method=metadata.token_endpoint_auth_method,
        grant_types=metadata.grant_types,
        redirect_uris=metadata.redirect_uris,
        post_logout_redirect_uris=metadata.post_logout_redirect_uris,
        scopes=metadata.scope.split(),
        id_token_signed_response_alg=metadata.id_token_signed_response_alg,
        jwks=b"" if isinstance(metadata.jwks, UnsetType) else bytes(metadata.jwks),
        first_party=metadata.first_party,
        resource_server=metadata.resource_server,
        service_account_roles=metadata.service_account_roles,
    )


def _client(found: pb.OAuthClient, secret: str = "") -> OAuthClient:
    return OAuthClient(
        client_id=found.id,
        client_secret=secret or UNSET,
        client_name=found.name,
        application_type=found.application_type,
        token_endpoint_auth_method=found.token_endpoint_auth_method,
        grant_types=list(found.grant_types),
        redirect_uris=list(found.redirect_uris),
        post_logout_redirect_uris=list(found.post_logout_redirect_uris),
        scope=" ".join(found.scopes),
        id_token_signed_response_alg=found.id_token_signed_response_alg,
        jwks=Raw(found.jwks) if found.jwks else UNSET,
        first_party=found.first_party,
        resource_server=found.resource_server,
        service_account_roles=list(found.service_account_roles),
        service_account_id=found.service_account_id or UNSET,
        created_at=known_moment(found.created_at),
        updated_at=known_moment(found.updated_at),
    )
