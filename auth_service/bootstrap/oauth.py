"""OAuth 2.1 and OpenID Connect."""

from dataclasses import dataclass

from auth_service.adapters.id_tokens import JwtIdTokens
from auth_service.application.attended import Attended
from auth_service.application.commands.oauth.authorize import AuthorizeHandler
from auth_service.application.commands.oauth.devices import (
    AuthorizeDeviceHandler,
    ShowDevicePageHandler,
    SubmitDevicePageHandler,
)
from auth_service.application.commands.oauth.end_session import EndSessionHandler
from auth_service.application.commands.oauth.factor_step import FactorStep
from auth_service.application.commands.oauth.manage_clients import (
    DeleteClientHandler,
    RotateClientSecretHandler,
    UpdateClientHandler,
)
from auth_service.application.commands.oauth.pages import (
    Conversations,
    ShowPageHandler,
    SubmitPageHandler,
)
from auth_service.application.commands.oauth.push_authorization import PushAuthorizationHandler
from auth_service.application.commands.oauth.register_client import RegisterClientHandler
from auth_service.application.commands.oauth.revoke_token import RevokeTokenHandler
from auth_service.application.commands.oauth.token import GrantHandler, TokenHandler
from auth_service.application.commands.oauth.withdraw_consent import (
    ListConsentsHandler,
    WithdrawConsentHandler,
)
from auth_service.application.groups.oauth import (
    ClientUseCases,
    EndpointUseCases,
    OAuthUseCases,
    PageUseCases,
)
from auth_service.application.oauth.answers import answering
from auth_service.application.oauth.browser_login import BrowserLogin
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.application.oauth.client_grants import ClientCredentials
from auth_service.application.oauth.finishing import Finishing
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.oauth.progressing import Progressing
from auth_service.application.oauth.token_reading import TokenReading
from auth_service.application.oauth.user_grants import (
    AuthorizationCodes,
    DeviceCodes,
    Passwords,
    Redeeming,
    RefreshTokens,
)
from auth_service.application.ports.oauth import IdTokens
from auth_service.application.queries.oauth.clients import GetClientHandler, ListClientsHandler
from auth_service.application.queries.oauth.introspect import IntrospectHandler, UserInfoHandler
from auth_service.application.queries.oauth.metadata import GetMetadataHandler
from auth_service.bootstrap.foundation import Foundation
from auth_service.bootstrap.mfa import code_sending
from auth_service.domain.oauth.client import GrantType
from chassis.handlers import wrap
from chassis.telemetry.logging import get_logger

_log = get_logger("auth.oauth")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the endpoints share."""

    base: Foundation
    id_tokens: IdTokens
    authenticate: ClientAuthentication
    issuing: Issuing
    reading: TokenReading
    redeeming: Redeeming


def oauth(base: Foundation) -> OAuthUseCases:
    """The whole capability."""
    parts = _parts(base)
    if base.settings.oauth.legacy:
        _log.warning(
            "oauth_legacy_grants_on",
            grants=",".join(sorted(base.settings.oauth.legacy)),
            advice="OAuth 2.1 took them away: whoever sees a redirect or a password has the account",
        )
    world, stores = base.world, base.stores.oauth
    withdraw = WithdrawConsentHandler(stores.consents, base.live, parts.issuing, world.audit)
    metadata = GetMetadataHandler(base.settings.oauth.legacy)
    return OAuthUseCases(
        clients=_clients(base),
        endpoints=_endpoints(parts),
        pages=_pages(parts),
        metadata=wrap(metadata, name="oauth.metadata"),
        list_consents=wrap(ListConsentsHandler(stores.consents), name="oauth.list_consents"),
        withdraw_consent=wrap(withdraw, name="oauth.withdraw_consent"),
    )


def _parts(base: Foundation) -> _Parts:
    world, stores, id_tokens = base.world, base.stores.oauth, JwtIdTokens()
    issuing = Issuing(
        users=base.stores.users,
        grants=stores.grants,
        tokens=base.tokens,
        id_tokens=id_tokens,
        ring=base.ring,
        policy=base.settings.sessions,
        randomness=base.randomness,
        clock=world.clock,
        ids=world.ids,
    )
    return _Parts(
        base=base,
        id_tokens=id_tokens,
        authenticate=ClientAuthentication(stores.clients, id_tokens, world.audit, world.clock),
        issuing=issuing,
        reading=TokenReading(base.tokens, base.ring, base.live, stores.grants, world.clock),
        redeeming=Redeeming(issuing, base.live, world.audit),
    )


def _endpoints(parts: _Parts) -> EndpointUseCases:
    base, issuing, authenticate = parts.base, parts.issuing, parts.authenticate
    stores, world, policy = base.stores.oauth, base.world, base.settings.oauth
    clock, randomness = world.clock, base.randomness
    revoke = RevokeTokenHandler(
        authenticate,
        parts.reading,
        stores.clients,
        stores.grants,
        base.live,
        issuing,
        world.audit,
    )
    push = PushAuthorizationHandler(authenticate, stores.requests, policy, randomness, clock)
    device = AuthorizeDeviceHandler(authenticate, stores.devices, policy, randomness, clock)
    introspect = IntrospectHandler(authenticate, parts.reading)
    return EndpointUseCases(
        token=wrap(answering(_token(parts)), name="oauth.token"),
        revocation=wrap(answering(revoke), name="oauth.revoke"),
        introspection=wrap(answering(introspect), name="oauth.introspect"),
        pushed_authorization=wrap(answering(push), name="oauth.push_authorization"),
        device_authorization=wrap(answering(device), name="oauth.authorize_device"),
        userinfo=wrap(answering(UserInfoHandler(parts.reading)), name="oauth.userinfo"),
    )


def _token(parts: _Parts) -> TokenHandler:
    base, issuing, redeeming = parts.base, parts.issuing, parts.redeeming
    stores = base.stores.oauth
    handlers: dict[GrantType, GrantHandler] = {
        GrantType.AUTHORIZATION_CODE: AuthorizationCodes(stores.grants, redeeming, issuing),
        GrantType.REFRESH_TOKEN: RefreshTokens(
            base.stores.sessions, stores.grants, redeeming, issuing
        ),
        GrantType.CLIENT_CREDENTIALS: ClientCredentials(
            stores.clients, base.books, base.live, issuing
        ),
        GrantType.DEVICE_CODE: DeviceCodes(stores.devices, redeeming, issuing),
        GrantType.PASSWORD: Passwords(
            base.authenticate, base.books, stores.grants, redeeming, issuing
        ),
    }
    legacy, audit = base.settings.oauth.legacy, base.world.audit
    return TokenHandler(parts.authenticate, handlers, legacy, audit)


def _pages(parts: _Parts) -> PageUseCases:
    base, end = parts.base, _end_session(parts)
    stores, world, policy = base.stores.oauth, base.world, base.settings.oauth
    clients, requests, clock, randomness = (
        stores.clients,
        stores.requests,
        world.clock,
        base.randomness,
    )
    finishing = Finishing(requests, parts.issuing, policy, world.audit, clock)
    progressing = Progressing(
        clients, stores.browsers, stores.consents, base.stores.users, base.books, finishing, clock
    )
    authorize = AuthorizeHandler(
        clients,
        requests,
        progressing,
        parts.id_tokens,
        base.ring,
        policy,
        randomness,
        world.audit,
        clock,
    )
    conversations = Conversations(requests, clients, randomness, clock)
    submit_device = SubmitDevicePageHandler(
        stores.devices, requests, world.limits, policy, randomness, world.audit, clock
    )
    show = ShowPageHandler(conversations, clients, progressing)
    submit = _submit(parts, conversations, progressing, finishing)
    return PageUseCases(
        authorize=wrap(authorize, name="oauth.authorize"),
        show=wrap(show, name="oauth.show_page"),
        submit=wrap(submit, name="oauth.submit_page"),
        show_device=wrap(ShowDevicePageHandler(randomness), name="oauth.show_device_page"),
        submit_device=wrap(submit_device, name="oauth.submit_device_page"),
        end_session=wrap(end, name="oauth.end_session"),
        confirm_end_session=wrap(end.confirmed, name="oauth.confirm_end_session"),
    )


def _submit(
    parts: _Parts, conversations: Conversations, progressing: Progressing, finishing: Finishing
) -> SubmitPageHandler:
    base, world = parts.base, parts.base.world
    log_in = BrowserLogin(
        base.stores.oauth.browsers,
        base.watch,
        parts.issuing,
        base.settings.oauth,
        world.audit,
        world.clock,
        world.ids,
    )
    factor = FactorStep(
        base.mfa.pending,
        base.owned,
        code_sending(base),
        base.mfa.remembered,
        log_in,
        base.books,
        base.settings.mfa.required,
    )
    clients = base.stores.oauth.clients
    return SubmitPageHandler(
        conversations, clients, progressing, finishing, base.authenticate, log_in, factor
    )


def _end_session(parts: _Parts) -> EndSessionHandler:
    base = parts.base
    return EndSessionHandler(
        base.stores.oauth.clients,
        base.stores.oauth.browsers,
        base.stores.users,
        parts.id_tokens,
        base.ring,
        parts.issuing,
        base.live,
        base.world.audit,
    )


def _clients(base: Foundation) -> ClientUseCases:
    world, clients, policy = base.world, base.stores.oauth.clients, base.settings.oauth
    clock, ids, audit, books = world.clock, world.ids, world.audit, base.books
    legacy, sessions, there = policy.legacy, base.settings.sessions, base.presence
    register = RegisterClientHandler(clients, books, legacy, base.randomness, audit, clock, ids)
    update = UpdateClientHandler(clients, books, base.live, sessions, legacy, audit, clock, ids)
    delete = DeleteClientHandler(clients, base.live, sessions, audit, clock, ids)
    rotate = RotateClientSecretHandler(
        clients, policy.secret_overlap, base.randomness, audit, clock
    )
    return ClientUseCases(
        register=wrap(
            Attended(register, there, lambda it: it.registrar.presence),
            name="oauth.register_client",
        ),
        update=wrap(
            Attended(update, there, lambda it: it.registrar.presence), name="oauth.update_client"
        ),
        delete=wrap(delete, name="oauth.delete_client"),
        rotate_secret=wrap(
            Attended(rotate, there, lambda it: it.registrar.presence),
            name="oauth.rotate_client_secret",
        ),
        get=wrap(GetClientHandler(clients), name="oauth.get_client"),
        list=wrap(ListClientsHandler(clients), name="oauth.list_clients"),
    )
