"""The kinds of things that routes are about, whose they are, and how one is made."""

import msgspec

from tests.e2e.attacks.raw import Raw
from tests.support.access import role_with, send
from tests.support.gateway_client import PASSWORD
from tests.support.matrix import Made, Maker, Row

WORKFLOW = """
document: {dsl: 1.0.3, namespace: matrix, name: NAME, version: 1.0.0}
SCHEDULE
do:
  - rest: {wait: {hours: 1}}
"""
CREATES = {"PUT /v1/secrets/{name}", "PUT /v1/roles/{name}", "PUT /v1/policies/{name}"}
"""Who asks for these makes something of their own, whatever others have under that name."""


async def _workflow(api: Raw, name: str, schedule: str = "") -> None:
    text = WORKFLOW.replace("NAME", name).replace("SCHEDULE", schedule)
    sent = await api("POST", "/v1/workflows", text.encode(), Content_Type="application/yaml")
    assert sent.status in (200, 201), sent.body


async def _execution(api: Raw) -> Made:
    await _workflow(api, "sleeper")
    wanted = {"workflow": {"namespace": "matrix", "name": "sleeper"}}
    return {"id": (await send(api, "POST", "/v1/executions", wanted)).json["id"]}


async def _definition(api: Raw) -> Made:
    await _workflow(api, "seen")
    return {"namespace": "matrix", "name": "seen", "version": "1.0.0"}


async def _schedule(api: Raw) -> Made:
    await _workflow(api, "nightly", "schedule: {cron: 30 2 * * *}")
    return {"id": "matrix.nightly"}


async def _secret(api: Raw) -> Made:
    assert (await send(api, "PUT", "/v1/secrets/matrix", {"value": "x"})).status == 201
    return {"name": "matrix"}


async def _session(api: Raw) -> Made:
    items = (await api("GET", "/v1/users/me/sessions")).json["items"]
    return {"id": next(each["id"] for each in items if not each.get("current"))}


async def _key(api: Raw) -> Made:
    terms = {"name": "mine", "permissions": ["workflows:read"]}
    made = await send(api, "POST", "/v1/api-keys", terms)
    assert made.status == 201, made.body
    return {"id": made.json["id"]}


async def _user(api: Raw) -> Made:
    body = {"email": "bob-of-the-matrix@example.com", "password": PASSWORD}
    made = await send(api, "POST", "/v1/users", body)
    assert made.status == 201, made.body
    return {"id": made.json["id"], "role": "user"}


async def _role(api: Raw) -> Made:
    return {"name": await role_with(api, "users:read")}


HARMLESS = {"effect": "deny", "actions": ["events:write"], "condition": "false"}


async def _policy(api: Raw) -> Made:
    assert (await send(api, "PUT", "/v1/policies/matrix", HARMLESS)).status == 200
    return {"name": "matrix"}


async def _client(api: Raw) -> Made:
    body = {"client_name": "Matrix", "redirect_uris": ["https://example.com/cb"]}
    made = await send(api, "POST", "/v1/oauth-clients", body)
    assert made.status == 201, made.body
    return {"id": made.json["client_id"]}


BODIES = {"PUT /v1/policies/{name}": msgspec.json.encode(HARMLESS)}
"""Instead of the examples of the description: that one would be in force for the rest of the test."""


async def _nothing(api: Raw) -> Made:
    return {}


PERSONAL: dict[str, Maker] = {
    "/v1/executions/{id}": _execution,
    "/v1/secrets/{name}": _secret,
    "/v1/users/me/sessions/{id}": _session,
    "/v1/api-keys/{id}": _key,
}
"""What belongs to a person. Others of the tenant do not find it, administrators included but for two."""
TENANTS: dict[str, Maker] = {
    "/v1/workflows/{namespace}/{name}": _definition,
    "/v1/schedules/{id}": _schedule,
    "/v1/users/{id}": _user,
    "/v1/roles/{name}": _role,
    "/v1/policies/{name}": _policy,
    "/v1/oauth-clients/{id}": _client,
}
"""What belongs to the tenant: whoever has the permission deals with it."""
ELSEWHERE: dict[str, Maker] = {
    "/v1/notifications/{id}": _nothing,
    "/v1/dead-letters/{id}": _nothing,
    "/v1/users/me/factors/{id}": _nothing,
    "/v1/users/me/devices/{id}": _nothing,
    "/v1/users/me/consents/{client_id}": _nothing,
}
"""What takes more to make; only that nobody's are not found is asked here."""
OBJECTS = {**PERSONAL, **TENANTS, **ELSEWHERE}
SEEN_BY_ADMINISTRATORS = ("/v1/executions/", "/v1/api-keys/")


def kind_of(row: Row) -> str:
    """The kind of thing that *row* is about."""
    kinds = [kind for kind in OBJECTS if row.path.startswith(kind)]
    assert kinds, f"{row} is about a kind of thing that the matrix does not know"
    return max(kinds, key=len)
