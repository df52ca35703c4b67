"""The three services behind the gateway, played by their generated servicers."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.timestamp_pb2 import Timestamp
from jwt.algorithms import ECAlgorithm

from chassis.clock import SystemClock
from chassis.errors import Conflict, FieldProblem, Invalid, NotFound, Unauthenticated
from chassis.rpc.context import Call, current_call, find_call
from chassis.rpc.guards import Guard, ServiceOnly
from chassis.rpc.jws import sign
from protos.auth.v1 import auth_pb2 as auth
from protos.auth.v1.auth_pb2_grpc import AuthServiceServicer
from protos.notification.v1 import notification_pb2 as notification
from protos.notification.v1.notification_pb2_grpc import NotificationServiceServicer
from protos.workflow.v1 import workflow_pb2 as workflow
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceServicer

USER = frozenset(
    [
        "workflows:read",
        "workflows:write",
        "executions:read",
        "executions:write",
        "events:write",
        "notifications:read",
        "notifications:write",
        "users:self",
    ]
)
AT = Timestamp(seconds=1_768_473_000)
ENDED = frozenset({"completed", "faulted", "cancelled"})
_AUTH = "/autoworker.auth.v1.AuthService"
_WORKFLOW = "/autoworker.workflow.v1.WorkflowService"
_NOTIFICATION = "/autoworker.notification.v1.NotificationService"
GATEWAY = ServiceOnly(frozenset({"gateway"}))

GUARDS: dict[str, dict[str, Guard]] = {
    "auth": {
        **{
            f"{_AUTH}/{name}": GATEWAY
            for name in (
                "Register", "Login", "Refresh", "ExchangeToken", "GetKeys", "WatchRevocations",
            )
        },
        **{f"{_AUTH}/{name}": "users:self" for name in ("Logout", "GetMe", "UpdateMe")},
    },
    "workflow": {
        f"{_WORKFLOW}/{name}": permission
        for permission, names in {
            "workflows:write": "PublishDefinition ValidateDefinition CheckDefinition",
            "workflows:read": "GetDefinition ListDefinitions",
            "executions:write": "StartExecution CancelExecution SuspendExecution ResumeExecution "
            "RetryExecution",
            "executions:read": "GetExecution ListExecutions GetHistory WatchHistory "
            "ExplainExecution",
            "events:write": "PublishEvents",
        }.items()
        for name in names.split()
    },
    "notification": {
        f"{_NOTIFICATION}/{name}": permission
        for permission, names in {
            "notifications:read": "ListNotifications WatchNotifications GetPreferences "
            "ListDeliveries",
            "notifications:write": "MarkRead UpdatePreferences",
        }.items()
        for name in names.split()
    },
}  # fmt: skip


@dataclass
class Behaviour:
    """What a test wants a service to do: fail, or wait."""

    failures: dict[str, Exception] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    served: Call | None = None

    async def enter(self, name: str, request: Any) -> None:
        """Called first by every method."""
        self.calls.append((name, request))
        self.served = find_call()
        if (failure := self.failures.get(name)) is not None:
            raise failure
        if (gate := self.gates.get(name)) is not None:
            try:
                await gate.wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise
            self.finished.append(name)

    def named(self, name: str) -> list[Any]:
        """The requests of one method."""
        return [request for called, request in self.calls if called == name]


class PlayedAuth(AuthServiceServicer):
    """Users, sessions and tokens in dictionaries."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.access_key = ec.generate_private_key(ec.SECP256R1())
        self.internal_key = ec.generate_private_key(ec.SECP256R1())
        self.clock = SystemClock()
        self.users: dict[str, tuple[str, auth.User]] = {}
        self.revoked: list[str] = []
        self.silent = False
        self.changed = asyncio.Condition()
        self.permissions = USER

    def access_token(self, user: str = "ada", session: str = "s1", **changes: Any) -> str:
        """An access token as the auth service signs it."""
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": "autoworker",
            "aud": "autoworker-api",
            "sub": user,
            "client_id": "autoworker",
            "iat": now,
            "exp": now + 600,
            "jti": f"j-{session}",
            "sid": session,
            "tenant": "default",
            "roles": ["user"],
        } | changes
        typ = claims.pop("typ", "at+jwt")
        return sign(claims, self.access_key, typ=typ, kid="a1")

    async def revoke(self, session: str) -> None:
        """End a session, and tell the feed."""
        async with self.changed:
            self.revoked.append(session)
            self.changed.notify_all()

    async def Register(self, request: auth.RegisterRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("Register", request)
        if request.email in self.users:
            raise Conflict("The e-mail address is taken")
        if len(request.password) < 8:
            raise Invalid(
                "Invalid input data", details=[FieldProblem("password", "must be longer")]
            )
        user = auth.User(
            id=f"u{len(self.users)}",
            email=request.email,
            name=request.name,
            roles=["user"],
            tenant="default",
            created_at=AT,
            permissions=sorted(self.permissions),
        )
        self.users[request.email] = (request.password, user)
        return auth.RegisterResponse(user=user)

    async def Login(self, request: auth.LoginRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("Login", request)
        password, user = self.users.get(request.email, ("", None))
        if user is None or password != request.password:
            raise Unauthenticated("Wrong e-mail address or password")
        session = f"s-{user.id}"
        tokens = auth.Tokens(
            access_token=self.access_token(user.id, session),
            expires_in=600,
            refresh_token=f"r-{session}",
        )
        return auth.LoginResponse(tokens=tokens)

    async def Refresh(self, request: auth.RefreshRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("Refresh", request)
        if not request.refresh_token.startswith("r-"):
            raise Unauthenticated("The refresh token is not valid")
        tokens = auth.Tokens(
            access_token=self.access_token(), expires_in=600, refresh_token="r-next"
        )
        return auth.RefreshResponse(tokens=tokens)

    async def ExchangeToken(  # noqa: N802
        self, request: auth.ExchangeTokenRequest, context: Any
    ) -> Any:
        await self.behaviour.enter("ExchangeToken", request)
        claims = jwt.decode(request.access_token, options={"verify_signature": False})
        if claims["sid"] in self.revoked:
            raise Unauthenticated("The session has ended")
        now = int(self.clock.now().timestamp())
        inner = {
            "iss": "autoworker",
            "sub": claims["sub"],
            "aud": request.audience,
            "iat": now,
            "exp": now + 60,
            "jti": "i1",
            "sid": claims["sid"],
            "tenant": claims["tenant"],
            "roles": claims["roles"],
            "permissions": sorted(self.permissions),
            "act": {"sub": "svc:gateway"},
        }
        token = sign(inner, self.internal_key, typ="int+jwt", kid="i1")
        return auth.ExchangeTokenResponse(internal_token=token, expires_in=60)

    async def GetKeys(self, request: auth.GetKeysRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("GetKeys", request)
        access = request.use != auth.KEY_USE_INTERNAL
        key, kid = (self.access_key, "a1") if access else (self.internal_key, "i1")
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwks = {"keys": [{**jwk, "kid": kid, "alg": "ES256", "use": "sig"}]}
        return auth.GetKeysResponse(jwks=json.dumps(jwks).encode())

    async def WatchRevocations(  # noqa: N802
        self, request: auth.WatchRevocationsRequest, context: Any
    ) -> AsyncIterator[Any]:
        await self.behaviour.enter("WatchRevocations", request)
        position = request.after
        while True:
            if self.silent:
                await asyncio.sleep(3600)
            for session in self.revoked[position:]:
                position += 1
                yield auth.WatchRevocationsResponse(
                    position=position, kind=auth.REVOCATION_KIND_SESSION, subject=session
                )
            yield auth.WatchRevocationsResponse()
            async with self.changed:
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.1)
                except TimeoutError:
                    continue

    async def Logout(self, request: auth.LogoutRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("Logout", request)
        session = current_call().principal.session_id or ""
        # The feed is not told: the gateway must know by itself.
        return auth.LogoutResponse(session_id=session)

    async def GetMe(self, request: auth.GetMeRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("GetMe", request)
        return auth.GetMeResponse(user=self._me())

    async def UpdateMe(self, request: auth.UpdateMeRequest, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("UpdateMe", request)
        user = self._me()
        if request.HasField("name"):
            user.name = request.name
        return auth.UpdateMeResponse(user=user)

    def _me(self) -> auth.User:
        principal = current_call().principal
        return auth.User(
            id=principal.id,
            email=f"{principal.id}@example.com",
            name="Ada",
            roles=principal.roles,
            tenant=principal.tenant,
            created_at=AT,
            permissions=sorted(principal.permissions),
        )


class PlayedWorkflows(WorkflowServiceServicer):
    """Definitions and executions in dictionaries; an execution ends when a test says so."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.definitions: dict[tuple[str, str, str], workflow.Definition] = {}
        self.executions: dict[str, workflow.Execution] = {}
        self.histories: dict[str, list[workflow.HistoryEvent]] = {}
        self.changed = asyncio.Condition()
        self.events: list[Any] = []

    def begin(self, id: str = "e1", status: str = "running", **data: Any) -> workflow.Execution:
        """An execution that is there."""
        execution = workflow.Execution(
            id=id,
            workflow=workflow.WorkflowReference(namespace="n", name="w", version="1.0.0"),
            status=status,
            created_at=AT,
            **data,
        )
        self.executions[id] = execution
        self.histories[id] = [_event(1, "started", "{}")]
        return execution

    async def happen(self, id: str, kind: str, status: str, data: str = "{}") -> None:
        """One more event."""
        async with self.changed:
            history = self.histories[id]
            history.append(_event(len(history) + 1, kind, data))
            self.executions[id].status = status
            self.changed.notify_all()

    async def PublishDefinition(  # noqa: N802
        self, request: workflow.PublishDefinitionRequest, context: Any
    ) -> Any:
        await self.behaviour.enter("PublishDefinition", request)
        digest = "sha256:" + hashlib.sha256(request.document).hexdigest()
        if b"refuse" in request.document:
            raise Invalid(
                "Invalid definition", details=[FieldProblem("/do/0/x", "unknown task kind")]
            )
        key = ("n", "w", "1.0.0")
        known = self.definitions.get(key)
        if known is not None and known.digest != digest:
            raise Conflict("This version is there with other content")
        definition = workflow.Definition(
            workflow=workflow.WorkflowReference(namespace="n", name="w", version="1.0.0"),
            digest=digest,
            created_at=AT,
            document=request.document,
        )
        self.definitions[key] = definition
        return workflow.PublishDefinitionResponse(definition=definition, created=known is None)

    async def ValidateDefinition(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("ValidateDefinition", request)
        return workflow.ValidateDefinitionResponse()

    async def CheckDefinition(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("CheckDefinition", request)
        difference = workflow.Difference(
            kind="moved", place="/do/1/a", was="/do/0/a", breaking=True
        )
        standing = workflow.StandingTask(
            task="/do/0/a", executions=2, first=["e1"], difference=difference
        )
        compared = workflow.ComparedVersion(
            version="1.0.0",
            digest="sha256:old",
            concern="breaking",
            differences=[difference],
            open=2,
            statuses={"waiting": 2},
            examined=2,
            tasks=[standing],
        )
        return workflow.CheckDefinitionResponse(
            workflow=workflow.WorkflowReference(namespace="shop", name="order", version="1.1.0"),
            digest="sha256:new",
            published="no",
            newest="1.0.0",
            becomes_newest=True,
            concern="breaking",
            schedule="kept",
            versions=[compared],
        )

    async def GetDefinition(  # noqa: N802
        self, request: workflow.GetDefinitionRequest, context: Any
    ) -> Any:
        await self.behaviour.enter("GetDefinition", request)
        for definition in self.definitions.values():
            if definition.workflow.name == request.workflow.name:
                return workflow.GetDefinitionResponse(definition=definition)
        raise NotFound("There is no such workflow")

    async def ListDefinitions(  # noqa: N802
        self, request: workflow.ListDefinitionsRequest, context: Any
    ) -> Any:
        await self.behaviour.enter("ListDefinitions", request)
        return workflow.ListDefinitionsResponse(definitions=self.definitions.values())

    async def StartExecution(  # noqa: N802
        self, request: workflow.StartExecutionRequest, context: Any
    ) -> Any:
        await self.behaviour.enter("StartExecution", request)
        status = "completed" if request.wait_ms else "pending"
        execution = self.begin(
            f"e{len(self.executions) + 1}", status, input=request.input, tags=request.tags
        )
        execution.priority = request.priority
        return workflow.StartExecutionResponse(execution=execution)

    async def CancelExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        return workflow.CancelExecutionResponse(
            execution=await self._act("CancelExecution", request, "cancelled")
        )

    async def SuspendExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        return workflow.SuspendExecutionResponse(
            execution=await self._act("SuspendExecution", request, "suspended")
        )

    async def ResumeExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        return workflow.ResumeExecutionResponse(
            execution=await self._act("ResumeExecution", request, "running")
        )

    async def RetryExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        return workflow.RetryExecutionResponse(
            execution=await self._act("RetryExecution", request, "running")
        )

    async def GetExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("GetExecution", request)
        return workflow.GetExecutionResponse(execution=self._found(request.id))

    async def ListExecutions(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("ListExecutions", request)
        found = list(self.executions.values())[: request.limit]
        return workflow.ListExecutionsResponse(executions=found, next_cursor="more")

    async def GetHistory(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("GetHistory", request)
        self._found(request.id)
        return workflow.GetHistoryResponse(events=self.histories[request.id])

    async def WatchHistory(  # noqa: N802
        self, request: workflow.WatchHistoryRequest, context: Any
    ) -> AsyncIterator[Any]:
        await self.behaviour.enter("WatchHistory", request)
        execution, sent = self._found(request.id), request.after_sequence
        try:
            while True:
                fresh = self.histories[request.id][sent:]
                if fresh:
                    sent += len(fresh)
                    yield workflow.WatchHistoryResponse(events=fresh)
                if execution.status in ENDED:
                    return
                async with self.changed:
                    if len(self.histories[request.id]) == sent:
                        await self.changed.wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.behaviour.cancelled.append("WatchHistory")
            raise

    async def ExplainExecution(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("ExplainExecution", request)
        execution = self._found(request.id)
        blocker = workflow.Blocker(
            kind="timer", task="/do/0/wait", waits_for="one hour", since=AT, unblocked_by="time"
        )
        return workflow.ExplainExecutionResponse(
            status=execution.status, summary="It waits.", blockers=[blocker]
        )

    async def PublishEvents(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("PublishEvents", request)
        self.events += request.events
        return workflow.PublishEventsResponse(accepted=len(request.events))

    async def _act(self, name: str, request: Any, status: str) -> workflow.Execution:
        await self.behaviour.enter(name, request)
        execution = self._found(request.id)
        if execution.status in ENDED:
            raise Conflict(f"A {execution.status} execution cannot do this")
        execution.status = status
        return execution

    def _found(self, id: str) -> workflow.Execution:
        if id not in self.executions:
            raise NotFound("There is no such execution")
        return self.executions[id]


class PlayedNotifications(NotificationServiceServicer):
    """One inbox."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.items: list[notification.Notification] = []
        self.changed = asyncio.Condition()
        self.email = True

    async def tell(self, title: str) -> None:
        """One more notification."""
        async with self.changed:
            position = len(self.items) + 1
            self.items.append(
                notification.Notification(
                    id=f"n{position}",
                    type="execution.completed",
                    title=title,
                    body="Done",
                    data=b'{"execution_id":"e1"}',
                    created_at=AT,
                    position=position,
                )
            )
            self.changed.notify_all()

    async def ListNotifications(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("ListNotifications", request)
        items = [item for item in self.items if not (request.unread_only and item.read_at.seconds)]
        return notification.ListNotificationsResponse(notifications=items[: request.limit])

    async def MarkRead(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("MarkRead", request)
        for item in self.items:
            if item.id == request.id:
                item.read_at.CopyFrom(AT)
                return notification.MarkReadResponse(notification=item)
        raise NotFound("There is no such notification")

    async def WatchNotifications(  # noqa: N802
        self, request: notification.WatchNotificationsRequest, context: Any
    ) -> AsyncIterator[Any]:
        await self.behaviour.enter("WatchNotifications", request)
        told = len(self.items)
        sent = request.after_position if request.HasField("after_position") else told
        while True:
            for item in self.items[sent:]:
                sent += 1
                yield notification.WatchNotificationsResponse(notification=item)
            async with self.changed:
                if len(self.items) == sent:
                    await self.changed.wait()

    async def ListDeliveries(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("ListDeliveries", request)
        return notification.ListDeliveriesResponse()

    async def GetPreferences(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("GetPreferences", request)
        chosen = notification.Preferences(email=self.email)
        return notification.GetPreferencesResponse(preferences=chosen)

    async def UpdatePreferences(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.behaviour.enter("UpdatePreferences", request)
        if request.HasField("email"):
            self.email = request.email
        chosen = notification.Preferences(email=self.email)
        return notification.UpdatePreferencesResponse(preferences=chosen)


def _event(sequence: int, kind: str, data: str) -> workflow.HistoryEvent:
    name = f"io.serverlessworkflow.workflow.{kind}.v1"
    return workflow.HistoryEvent(sequence=sequence, type=name, time=AT, data=data.encode())


NOW = datetime.fromtimestamp(AT.seconds, UTC)
