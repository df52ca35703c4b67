"""Errors, what catches them, and when to try again."""

from __future__ import annotations

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.error_types import normalise_error_type
from workflow_service.domain.definition.model import (
    BackoffKind,
    Catch,
    Duration,
    ErrorDefinition,
    ErrorFilter,
    FixedDuration,
    RetryPolicy,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.expressions import Expression, JsonValue, Template, is_expression

DEFAULT_ERROR_VARIABLE = "error"


def read_raised(
    builder: Builder, error: JsonValue, pointer: str, scope: Scope
) -> ErrorDefinition | None:
    """Read ``raise.error``: an error of its own, or the name of one in ``use.errors``."""
    if isinstance(error, str):
        found = builder.reusable("errors", error, pointer)
        if found is None:
            return None
        error, pointer = found
    return read_error(builder, error, pointer, scope)


def read_error(
    builder: Builder, error: JsonValue, pointer: str, scope: Scope
) -> ErrorDefinition | None:
    """Read an error that is written out."""
    if not isinstance(error, dict):
        return None

    def member(name: str) -> Template | None:
        if name not in error:
            return None
        return builder.template(error[name], child(pointer, name), scope)

    kind = error.get("type")
    if isinstance(kind, str) and not is_expression(kind):
        kind = normalise_error_type(kind)
    return ErrorDefinition(
        type=builder.template(kind, child(pointer, "type"), scope),
        status=builder.template(error.get("status"), child(pointer, "status"), scope),
        title=member("title"),
        detail=member("detail"),
        instance=member("instance"),
    )


def read_catch(
    builder: Builder, catch: dict[str, JsonValue], pointer: str, scope: Scope, then: str | None
) -> Catch:
    """Read ``catch``; everything in it knows the error under the name that ``as`` gives it."""
    variable = error_variable(builder, catch, pointer)
    inner = scope.knowing(variable)
    handlers = catch.get("do")
    return Catch(
        errors=_filter(builder, catch.get("errors"), child(pointer, "errors", "with")),
        error_variable=variable,
        when=_condition(builder, catch, "when", pointer, inner),
        except_when=_condition(builder, catch, "exceptWhen", pointer, inner),
        retry=_retry(builder, catch.get("retry"), child(pointer, "retry"), inner),
        do=None
        if handlers is None
        else builder.task_list(builder, handlers, child(pointer, "do"), inner),
        then=then,
    )


def error_variable(builder: Builder, catch: dict[str, JsonValue], pointer: str) -> str:
    """Read under which name ``catch.as`` makes the error known."""
    return builder.variable(catch.get("as"), child(pointer, "as"), DEFAULT_ERROR_VARIABLE)


def read_retry(builder: Builder, policy: JsonValue, pointer: str, scope: Scope) -> RetryPolicy:
    """Read a retry policy that is written out."""
    if not isinstance(policy, dict):
        return RetryPolicy()
    limit, attempt = _object(policy, "limit"), _object(_object(policy, "limit"), "attempt")
    attempt_place = child(pointer, "limit", "attempt")
    return RetryPolicy(
        when=_condition(builder, policy, "when", pointer, scope),
        except_when=_condition(builder, policy, "exceptWhen", pointer, scope),
        delay=_duration(builder, policy, "delay", pointer, scope),
        backoff=_backoff(policy),
        max_retries=_count(builder, attempt, attempt_place),
        attempt_duration=_duration(builder, attempt, "duration", attempt_place, scope),
        total_duration=_duration(builder, limit, "duration", child(pointer, "limit"), scope),
        jitter=_jitter(builder, policy, child(pointer, "jitter"), scope),
    )


def _retry(builder: Builder, retry: JsonValue, pointer: str, scope: Scope) -> RetryPolicy | None:
    if isinstance(retry, str):
        found = builder.reusable("retries", retry, pointer)
        if found is None:
            return None
        retry, pointer = found
    return None if retry is None else read_retry(builder, retry, pointer, scope)


def _filter(builder: Builder, errors: JsonValue, pointer: str) -> ErrorFilter | None:
    members = errors.get("with") if isinstance(errors, dict) else None
    if not isinstance(members, dict):
        return None
    texts: dict[str, str] = {}
    for name, value in members.items():
        if isinstance(value, str):
            texts[name] = value
            if is_expression(value):
                builder.problem(
                    child(pointer, name), "is compared as it stands: use catch.when for expressions"
                )
    kind, status = texts.get("type"), members.get("status")
    return ErrorFilter(
        type=None if kind is None else normalise_error_type(kind),
        status=int(status) if isinstance(status, int | float) else None,
        instance=texts.get("instance"),
        title=texts.get("title"),
        detail=texts.get("detail", texts.get("details")),
    )


def _backoff(policy: dict[str, JsonValue]) -> BackoffKind:
    backoff = _object(policy, "backoff")
    if "exponential" in backoff:
        return "exponential"
    return "linear" if "linear" in backoff else "constant"


def _count(builder: Builder, attempt: dict[str, JsonValue], pointer: str) -> int | None:
    count = attempt.get("count")
    if not isinstance(count, int | float):
        return None
    if count < 0:
        builder.problem(child(pointer, "count"), "must not be negative")
    return int(count)


def _jitter(
    builder: Builder, policy: dict[str, JsonValue], pointer: str, scope: Scope
) -> tuple[Duration, Duration] | None:
    if "jitter" not in policy:
        return None
    jitter = _object(policy, "jitter")
    shortest = builder.duration(jitter.get("from"), child(pointer, "from"), scope)
    longest = builder.duration(jitter.get("to"), child(pointer, "to"), scope)
    match shortest, longest:
        case FixedDuration(low), FixedDuration(high) if low > high:
            builder.problem(pointer, "'from' must not be longer than 'to'")
        case _:
            pass
    return shortest, longest


def _duration(
    builder: Builder, owner: dict[str, JsonValue], member: str, pointer: str, scope: Scope
) -> Duration | None:
    if member not in owner:
        return None
    return builder.duration(owner[member], child(pointer, member), scope)


def _condition(
    builder: Builder, owner: dict[str, JsonValue], member: str, pointer: str, scope: Scope
) -> Expression | None:
    text = owner.get(member)
    if not isinstance(text, str):
        return None
    return builder.expression(text, child(pointer, member), scope)


def _object(owner: dict[str, JsonValue], member: str) -> dict[str, JsonValue]:
    value = owner.get(member)
    return value if isinstance(value, dict) else {}
