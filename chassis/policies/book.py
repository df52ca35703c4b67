"""The policies of every tenant as one process knows them, and the decisions made by them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.policies.attributes import Asked, paths_in, values_of
from chassis.policies.cel import ConditionInvalid, compiled
from chassis.policies.model import (
    Answer,
    Attributes,
    Decision,
    Policy,
    Rule,
    concerning,
    decide,
)
from chassis.rpc.context import Principal
from chassis.rpc.decisions import PolicyRefused, Reading
from chassis.telemetry import metrics

LOST: Final = 30.0
"""Seconds of silence after which nobody can say what the policies are."""
PATIENCE: Final = 2.0
"""Seconds that a request waits for the feed's next sign of life, at start and after a silence."""

_NOTHING: Final = frozenset[str]()
_REFUSED: Final = metrics.counter(
    "policy_refusals_total", "Requests that a policy refused, or would have.", ["mode"]
)


class PolicyBook:
    """Implements `Decisions`; a feed keeps it up to date with `replace`, `put` and `heard`.

    Args:
        clock: what the time of a request and silence are measured with.
        audit: is told what dry runs would have refused; refusals are told by the server.
    """

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._concerning: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._heard: float | None = None
        self._news = asyncio.Event()

    def put(self, tenant: str, policies: Sequence[Policy]) -> None:
        """From now on these are the tenant's policies."""
        self._concerning.clear()
        if policies:
            self._rules[tenant] = tuple(rule_of(each) for each in policies)
        else:
            self._rules.pop(tenant, None)

    def replace(self, tenants: Mapping[str, Sequence[Policy]]) -> None:
        """From now on these are all the policies there are."""
        self._rules.clear()
        self._concerning.clear()
        for tenant, policies in tenants.items():
            self.put(tenant, policies)

    def heard(self) -> None:
        """The feed told everything that there is at present."""
        self._heard = self._clock.monotonic()
        self._news.set()

    @property
    def ready(self) -> bool:
        """See `Decisions.ready`."""
        return self._heard is not None and self._clock.monotonic() - self._heard <= LOST

    async def become_ready(self) -> None:
        """See `Decisions.become_ready`."""
        self._news.clear()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._news.wait()
        except TimeoutError as exc:
            raise Unavailable("The policies cannot be known at the moment", retry_after=1) from exc

    def check(
        self,
        principal: Principal,
        action: str,
        operation: str,
        address: str,
        reading: Reading | None,
        request: Any,
    ) -> None:
        """See `Decisions.check`."""
        rules = self._rules_for(principal.tenant, action)
        if not rules:
            return
        known = {} if reading is None else reading(request)
        asked = Asked(principal, action, self._clock.now(), operation, address, known)
        self._enforce(decide(rules, Attributes(values_of(asked))), principal, action)

    def wanted(self, tenant: str, action: str) -> frozenset[str]:
        """See `Decisions.wanted`."""
        rules = self._rules_for(tenant, action)
        if not rules:
            return _NOTHING
        return frozenset(
            name
            for rule in rules
            for part, name in paths_in(rule.policy.condition)
            if part == "resource"
        )

    def _rules_for(self, tenant: str, action: str) -> tuple[Rule, ...]:
        if tenant not in self._rules:
            return ()
        known = self._concerning.get((tenant, action))
        if known is None:
            known = self._concerning[tenant, action] = concerning(self._rules[tenant], action)
        return known

    def _enforce(self, decision: Decision, principal: Principal, action: str) -> None:
        for verdict in decision.would_refuse:
            _REFUSED.child("dry_run").inc()
            # By its name it is a refusal, of which floods are counted and none is waited for.
            self._audit.record(
                "policy_dry_run_refused",
                tenant=principal.tenant,
                actor=principal.id,
                target=action,
                policy=verdict.policy.name,
                reason=verdict.reason,
            )
        refusal = decision.refusal
        if refusal is not None:
            _REFUSED.child("enforce").inc()
            raise PolicyRefused(refusal.policy.name, refusal.reason)


class _Broken:
    """Stands for a condition that this process cannot compile: nobody gets past it."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def evaluate(self, _attributes: Attributes) -> Answer:
        return Answer(None, self._problem)


def rule_of(policy: Policy) -> Rule:
    """The policy with its condition compiled; one that cannot be compiled has no answer, ever."""
    try:
        return Rule(policy, compiled(policy.condition))
    except ConditionInvalid as exc:
        return Rule(policy, _Broken(str(exc).partition("\n")[0]))
