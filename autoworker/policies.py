"""Policies: the part of the client that says what is refused although roles allow it."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec

from autoworker.model import JsonValue, Page
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class NewPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a policy is to be; *effect* is `deny` or `require`, *mode* `enforce` or `dry_run`."""

    name: str
    effect: str
    actions: list[str]
    condition: str
    mode: str = "enforce"
    description: str = ""


class Policy(NewPolicy, frozen=True):
    """A policy in one version."""

    version: int = 0
    created_at: datetime | None = None
    created_by: str = ""
    deleted: bool = False


class PolicyVerdict(msgspec.Struct, frozen=True):
    """What one policy says of a request; *condition* is `true`, `false` or `error`."""

    name: str
    version: int
    effect: str
    mode: str
    condition: str
    refuses: bool
    reason: str
    missing: list[str]


class Explained(msgspec.Struct, frozen=True):
    """Whether somebody may do something, and which role or policy decides it."""

    allowed: bool
    decided_by: str
    reason: str
    role_path: list[str]
    policies: list[PolicyVerdict]


class Policies(Requests):
    """Policies of the tenant; for administrators."""

    def policies(self) -> AsyncIterator[Policy]:
        """Those in force, by name."""
        return self._pages("/v1/policies", Page[Policy], {})

    def policy_versions(self, name: str) -> AsyncIterator[Policy]:
        """Every version of a policy, newest first.

        Raises:
            NotFound: there is none.
        """
        return self._pages(f"/v1/policies/{segment(name)}/versions", Page[Policy], {})

    async def put_policy(self, policy: NewPolicy) -> Policy:
        """Make or change a policy; no change is no version.

        Raises:
            InvalidRequest: actions or condition cannot be used; it says why.
        """
        body = msgspec.structs.asdict(policy)
        name = body.pop("name")
        path = f"/v1/policies/{segment(name)}"
        _, answer = await self._send("PUT", path, msgspec.json.encode(body))
        return decoded(answer, Policy)

    async def roll_back_policy(self, name: str, version: int) -> Policy:
        """Take up again what the policy said in *version*, as its newest one.

        Raises:
            NotFound: there is no such version.
        """
        path, body = f"/v1/policies/{segment(name)}/rollback", {"version": version}
        _, answer = await self._send("POST", path, msgspec.json.encode(body))
        return decoded(answer, Policy)

    async def delete_policy(self, name: str) -> None:
        """It refuses nothing any more.

        Raises:
            NotFound: there is none.
        """
        await self._send("DELETE", f"/v1/policies/{segment(name)}")

    async def explain_decision(
        self,
        action: str,
        principal: Mapping[str, JsonValue],
        *,
        resource: Mapping[str, JsonValue] | None = None,
        context: Mapping[str, JsonValue] | None = None,
    ) -> Explained:
        """May *principal* (`{"id": …}`, or `{"roles": […]}` to suppose) do *action*?

        Raises:
            InvalidRequest: there is no such action or attribute.
            NotFound: there is no such user.
        """
        question = {
            "action": action,
            "principal": principal,
            "resource": resource or {},
            "context": context or {},
        }
        path = "/v1/policies/explain"
        _, answer = await self._send("POST", path, msgspec.json.encode(question))
        return decoded(answer, Explained)
