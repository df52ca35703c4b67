"""The tables of the auth service, one module per capability. Times are microseconds since 1970, UTC.

A step that has been released is never changed; numbers only say in which order steps are applied.
"""

from auth_service.adapters.sqlite.schema import (
    access,
    accounts,
    api_keys,
    audit,
    identity,
    mail,
    mfa,
    oauth,
    revocations,
)

_CAPABILITIES = (
    identity,
    mail,
    accounts,
    revocations,
    mfa,
    api_keys,
    access,
    audit,
    oauth,
)

MIGRATIONS = tuple(
    sorted(
        (step for capability in _CAPABILITIES for step in capability.MIGRATIONS),
        key=lambda step: step.version,
    )
)
