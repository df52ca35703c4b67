"""The Python client: the HTTP contract as typed methods."""

from collections.abc import AsyncIterator, Mapping
from typing import Self

from autoworker.accounts import Accounts
from autoworker.api_keys import ApiKeys
from autoworker.audit import Audit
from autoworker.dead_letters import DeadLetters
from autoworker.deployments import Deployments, sent_as
from autoworker.executions import Executions
from autoworker.factors import Factors
from autoworker.model import (
    Definition,
    Function,
    JsonValue,
    Notification,
    Page,
    WorkerToken,
    WorkflowReference,
)
from autoworker.oauth_clients import OAuthClients
from autoworker.places import given, reference, segment
from autoworker.policies import Policies
from autoworker.requests import Requests
from autoworker.roles import Roles
from autoworker.schedules import Schedules
from autoworker.secrets import Secrets
from autoworker.sessions import FixedToken, PasswordSession, Session
from autoworker.transport import TIMEOUT, Transport, decoded
from autoworker.users import Users


class Client(
    Accounts,
    ApiKeys,
    Audit,
    DeadLetters,
    Deployments,
    Executions,
    Factors,
    OAuthClients,
    Policies,
    Roles,
    Schedules,
    Secrets,
    Users,
    Requests,
):
    """Talks to one suite. Use it with `async with`.

    Log in with *email* and *password* (the session is kept fresh), or bring a *token* or an *api_key*.

    Args:
        url: where the gateway is.
        token: an access token that somebody else looks after.
        api_key: a key of POST /v1/api-keys.
        email: whom to log in, when first needed.
        password: theirs.
        tenant: the one that they belong to.
        session: another source of tokens.
        timeout: seconds that a request may take.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        token: str | None = None,
        api_key: str | None = None,
        email: str | None = None,
        password: str | None = None,
        tenant: str = "default",
        session: Session | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._transport = Transport(url, timeout=timeout)
        if email is not None and password is not None:
            self._session: Session = PasswordSession(
                lambda: self.login(email, password, tenant=tenant), self.refresh
            )
        else:
            self._session = session or FixedToken(api_key or token)

    @property
    def url(self) -> str:
        """Where the gateway is."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._transport.close()

    # ------------------------------------------------------------ workflows
    async def publish(self, document: str | bytes | Mapping[str, JsonValue]) -> Definition:
        """Register a workflow, as YAML or JSON text or as data; the same again changes nothing.

        Raises:
            InvalidRequest: it breaks rules; each detail's field is a JSON Pointer.
            Conflict: the version is taken by other content.
        """
        kind, body = sent_as(document)
        _, answer = await self._send("POST", "/v1/workflows", body, {"Content-Type": kind})
        return decoded(answer, Definition)

    async def definition(self, workflow: str | WorkflowReference) -> Definition:
        """A registered workflow with its document.

        Raises:
            NotFound: there is none.
        """
        wanted = reference(workflow)
        parts = [wanted.namespace, wanted.name, *filter(None, [wanted.version])]
        return await self._get("/v1/workflows/" + "/".join(map(segment, parts)), Definition)

    def definitions(self, namespace: str = "", name: str = "") -> AsyncIterator[Definition]:
        """The registered workflows."""
        params = given(namespace=namespace, name=name)
        return self._pages("/v1/workflows", Page[Definition], params)

    # ------------------------------------------------------------ functions
    def functions(self, *, limit: int = 50) -> AsyncIterator[Function]:
        """What `call: name` reaches: functions of the operator and of workers, by name."""
        return self._pages("/v1/functions", Page[Function], {"limit": str(limit)})

    async def worker_token(self) -> WorkerToken:
        """A token for workers that act for this user; good for some minutes."""
        _, answer = await self._send("POST", "/v1/functions/tokens")
        return decoded(answer, WorkerToken)

    # ------------------------------------------------------------ notifications
    def notifications(self, *, unread: bool = False) -> AsyncIterator[Notification]:
        """The inbox, newest first."""
        params = {"unread": "true"} if unread else {}
        return self._pages("/v1/notifications", Page[Notification], params)

    async def mark_read(self, notification: str) -> Notification:
        """Mark one as read; again changes nothing."""
        _, answer = await self._send("POST", f"/v1/notifications/{segment(notification)}/read")
        return decoded(answer, Notification)
