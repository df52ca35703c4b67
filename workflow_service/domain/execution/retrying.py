"""How long to wait before another attempt, and whether there may be one.

Source: Open Workflow Specification, DSL reference, "Retry", "Backoff", "Jitter", "Retry Limit".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflow_service.domain.execution import data_flow

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import RetryPolicy
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.environment import Environment
    from workflow_service.domain.expressions import JsonValue

_HIGHEST_EXPONENT = 40


def delay_before(
    policy: RetryPolicy,
    retries: int,
    data: JsonValue,
    arguments: Arguments,
    environment: Environment,
) -> float:
    """Return the seconds to wait after *retries* retries have failed (0: only the first attempt has).

    A policy without a delay gets the engine's: exponential with full jitter. An author's delay is kept exactly, and
    only the author's own jitter is added to it.

    Raises:
        Raised: a duration of the policy is wrong.
    """
    limits = environment.limits
    if policy.delay is None:
        ceiling = limits.default_delay * 2.0 ** min(retries, _HIGHEST_EXPONENT)
        delay = environment.random.uniform(0.0, min(limits.default_delay_cap, ceiling))
    else:
        base = data_flow.seconds(policy.delay, data, arguments, limits.longest_delay)
        delay = base * _factor(policy, retries)
    return min(delay + _jitter(policy, data, arguments, environment), limits.longest_delay)


def _factor(policy: RetryPolicy, retries: int) -> float:
    match policy.backoff:
        case "constant":
            return 1.0
        case "linear":
            return retries + 1.0
        case "exponential":
            return 2.0 ** min(retries, _HIGHEST_EXPONENT)


def _jitter(
    policy: RetryPolicy, data: JsonValue, arguments: Arguments, environment: Environment
) -> float:
    if policy.jitter is None:
        return 0.0
    longest = environment.limits.longest_delay
    low, high = (data_flow.seconds(bound, data, arguments, longest) for bound in policy.jitter)
    return environment.random.uniform(min(low, high), max(low, high))


def may_retry_later(
    policy: RetryPolicy,
    retries: int,
    first_fault_at: datetime,
    until: datetime,
    data: JsonValue,
    arguments: Arguments,
    environment: Environment,
) -> bool:
    """Say whether the policy's limits allow another attempt that begins at *until*.

    Raises:
        Raised: a duration of the policy is wrong.
    """
    allowed = policy.max_retries
    if allowed is None:
        allowed = environment.limits.default_retries
    if retries >= allowed:
        return False
    if policy.total_duration is None:
        return True
    longest = environment.limits.longest_delay
    total = data_flow.seconds(policy.total_duration, data, arguments, longest)
    return until <= first_fault_at + timedelta(seconds=total)
