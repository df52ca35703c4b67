"""Everything that the gateway offers: each group of routes is one line, with its ports' adapters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from chassis.health import Health
from chassis.rpc.client import RpcClient
from gateway.adapters.accounts_grpc import AccountsOverGrpc
from gateway.adapters.api_keys_grpc import ApiKeysOverGrpc
from gateway.adapters.audit_grpc import AuditOverGrpc
from gateway.adapters.auth_grpc import AuthOverGrpc
from gateway.adapters.dead_letters_grpc import DeadLettersOverGrpc
from gateway.adapters.deployments_grpc import DeploymentsOverGrpc
from gateway.adapters.functions_grpc import FunctionsOverGrpc
from gateway.adapters.mfa_grpc import MfaOverGrpc
from gateway.adapters.notification_grpc import NotificationsOverGrpc
from gateway.adapters.oauth_grpc import OAuthClientsOverGrpc, OAuthOverGrpc, OAuthPagesOverGrpc
from gateway.adapters.policies_grpc import PoliciesOverGrpc
from gateway.adapters.roles_grpc import RolesOverGrpc
from gateway.adapters.schedules_grpc import SchedulesOverGrpc
from gateway.adapters.secrets_grpc import SecretsOverGrpc
from gateway.adapters.users_grpc import UsersOverGrpc
from gateway.adapters.workflow_grpc import WorkflowsOverGrpc
from gateway.ports import Gatekeeper, KeyGatekeeper
from gateway.routes import openapi
from gateway.routes.account_links import AccountLinkRoutes
from gateway.routes.account_pages import AccountPageRoutes
from gateway.routes.accounts import AccountRoutes
from gateway.routes.api_keys import ApiKeyRoutes
from gateway.routes.audit import AuditRoutes
from gateway.routes.dead_letters import DeadLetterRoutes
from gateway.routes.definitions import DefinitionRoutes
from gateway.routes.devices import DeviceRoutes
from gateway.routes.events import EventRoutes
from gateway.routes.execution_verbs import ExecutionVerbRoutes
from gateway.routes.executions import ExecutionRoutes
from gateway.routes.factors import FactorRoutes
from gateway.routes.functions import FunctionRoutes
from gateway.routes.identity import IdentityRoutes
from gateway.routes.live import LiveRoutes
from gateway.routes.mfa import MfaRoutes
from gateway.routes.notifications import NotificationRoutes
from gateway.routes.oauth import OAuthRoutes
from gateway.routes.oauth_clients import OAuthClientRoutes
from gateway.routes.oauth_pages import ConsentRoutes, OAuthPageRoutes
from gateway.routes.policies import PolicyRoutes
from gateway.routes.public_address import PublicAddress
from gateway.routes.roles import RoleRoutes
from gateway.routes.route import Route
from gateway.routes.schedules import ScheduleRoutes
from gateway.routes.secrets import SecretRoutes
from gateway.routes.sse import Streams
from gateway.routes.system import SystemRoutes
from gateway.routes.users import UserRoutes


@dataclass(frozen=True, slots=True)
class Parts:
    """What groups of routes are made of: entered clients of the services, and what all share."""

    auth: RpcClient
    workflow: RpcClient
    notification: RpcClient
    gatekeeper: Gatekeeper
    key_gatekeeper: KeyGatekeeper
    streams: Streams
    health: Health
    address: PublicAddress


class Group(Protocol):
    """Some routes that belong together."""

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""


def groups(parts: Parts) -> Iterable[Group]:
    """Every group but that of the system, in the order in which the contract lists them."""
    auth, workflow, notification = parts.auth, parts.workflow, parts.notification
    workflows, mfa = WorkflowsOverGrpc(workflow), MfaOverGrpc(auth)
    accounts = AccountsOverGrpc(auth)
    return (
        IdentityRoutes(AuthOverGrpc(auth), parts.gatekeeper),
        AccountLinkRoutes(accounts),
        AccountPageRoutes(OAuthPagesOverGrpc(auth), parts.address),
        AccountRoutes(accounts, parts.gatekeeper),
        UserRoutes(UsersOverGrpc(auth)),
        RoleRoutes(RolesOverGrpc(auth)),
        ApiKeyRoutes(ApiKeysOverGrpc(auth)),
        MfaRoutes(mfa),
        FactorRoutes(mfa),
        DeviceRoutes(mfa),
        PolicyRoutes(PoliciesOverGrpc(auth)),
        DefinitionRoutes(workflows, DeploymentsOverGrpc(workflow)),
        ExecutionRoutes(workflows),
        ExecutionVerbRoutes(workflows),
        LiveRoutes(workflows, parts.streams),
        EventRoutes(workflows),
        FunctionRoutes(FunctionsOverGrpc(workflow)),
        ScheduleRoutes(SchedulesOverGrpc(workflow)),
        SecretRoutes(SecretsOverGrpc(workflow)),
        AuditRoutes(AuditOverGrpc(auth)),
        OAuthRoutes(OAuthOverGrpc(auth), parts.address),
        OAuthPageRoutes(OAuthPagesOverGrpc(auth), parts.address),
        ConsentRoutes(OAuthPagesOverGrpc(auth)),
        OAuthClientRoutes(OAuthClientsOverGrpc(auth)),
        NotificationRoutes(NotificationsOverGrpc(notification), parts.streams),
        DeadLetterRoutes(DeadLettersOverGrpc(notification)),
    )


def every_route(parts: Parts) -> list[Route]:
    """The whole contract, which describes itself."""
    routes = [route for group in groups(parts) for route in group.routes()]

    def document() -> object:
        return openapi.document(routes, version=_version())

    routes += SystemRoutes(parts.health, document).routes()
    return routes


def _version() -> str:
    try:
        return version("autoworker")
    except PackageNotFoundError:
        return "0.1.0"
