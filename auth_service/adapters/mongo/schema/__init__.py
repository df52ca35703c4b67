"""The collections of the auth service, one module per capability: those of the SQLite store, named and encoded alike.

A document has the columns of a row as its members, with the same values: times are microseconds since 1970, UTC; what never happened
is None. `_id` is the primary key; where that is made of several columns, it is `key_of` them, and they are members as well. What
differs:

- lists of words (`roles`, `amr`) are lists instead of texts;
- `revocation_feed` has `key_of(kind, subject)` as its `_id`, so that the latest entry takes the place of an earlier one;
- `refresh_tokens` have `user_id`, too, as what is somebody's is found by it when they are erased;
- `role_books` and `policy_books` are written by whoever changes what a tenant's roles and policies rest on, and `users`, `api_keys`
  and `oauth_clients` by whoever adds what must not outlive them: they count these as `turn`, which says nothing else;
- `counters` has the last positions of `outbox` and `revocation_feed`; `nodes` and `leases` are about processes.

There are no foreign keys: what belongs to a user or a session is in `BY_USER` and `BY_SESSION`, and goes with them.

A step that has been released is never changed; numbers only say in which order steps are applied.
"""

from typing import Final

from auth_service.adapters.mongo.schema import (
    access,
    accounts,
    api_keys,
    audit,
    identity,
    mail,
    mfa,
    oauth,
    processes,
    revocations,
)

_CAPABILITIES: Final = (
    processes,
    identity,
    mail,
    accounts,
    revocations,
    api_keys,
    access,
    audit,
    mfa,
    oauth,
)

MIGRATIONS: Final = tuple(
    sorted(
        (step for capability in _CAPABILITIES for step in capability.MIGRATIONS),
        key=lambda step: step.version,
    )
)

BY_USER: Final = tuple(name for capability in _CAPABILITIES for name in capability.BY_USER)
"""Collections of which every document is some user's, by its `user_id`, of which there is an index."""

BY_SESSION: Final = {
    name: member for capability in _CAPABILITIES for name, member in capability.BY_SESSION.items()
}
"""Collections of which every document is some session's, and the member that says whose; of that there is an index."""
