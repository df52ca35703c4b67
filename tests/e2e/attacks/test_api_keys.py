"""Attack 15: API keys, guessed, stolen, used after their end, too often, from elsewhere, and for more."""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from autoworker import Client, NewApiKey, PermissionDenied
from tests.e2e.attacks.raw import Answer, Raw, raw
from tests.support.gateway_client import Person, signed_up
from tests.support.http_session import http_session
from tests.support.second_gateway import second_gateway
from tests.support.suite import Suite, started

READ = ["executions:read"]
LIST = "/v1/executions"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite behind a proxy that says where requests come from."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
        AUTOWORKER_TRUSTED_PROXIES="127.0.0.0/8",
        AUTOWORKER_IP_DENY="203.0.113.66/32",
    ) as running:
        yield running


@pytest.fixture
async def anybody(suite: Suite) -> AsyncIterator[Raw]:
    """A raw client without credentials."""
    async with nobody(suite) as api:
        yield api


@asynccontextmanager
async def nobody(suite: Suite) -> AsyncIterator[Raw]:
    skip = ["Content-Type", "Accept-Encoding"]
    async with http_session(suite.url, skip_auto_headers=skip) as http:
        yield Raw(http)


def told(answer: Answer) -> dict[str, object]:
    """The error without what differs from request to request."""
    error: dict[str, object] = answer.json["error"]
    return {name: value for name, value in error.items() if name not in ("timestamp", "request_id")}


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json["error"]["code"]) == (status, code), answer.body


async def test_guesses_are_401_and_alike(ada: Person, anybody: Raw) -> None:
    key = (await ada.create_api_key("ci", READ)).key
    flipped = "A" if key[30] != "A" else "B"
    guesses = [
        "", "sk_live_", "sk_live_x", key[:-1], key + "0", key[:30] + flipped + key[31:], key[:19],
        key.replace("sk_live_", "sk_test_"), key.upper(), "sk_live_" + "0" * 60, "k" * 9000,
    ]  # fmt: skip

    answers = [await anybody("GET", LIST, X_API_Key=guess) for guess in guesses]

    for answer in answers:
        refused(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert len({str(told(answer)) for answer in answers}) == 1
    assert (await anybody("GET", LIST, X_API_Key=key)).status == 200


async def test_as_a_bearer_token_or_beside_one_a_key_is_nothing(
    suite: Suite, ada: Person, anybody: Raw
) -> None:
    key = (await ada.create_api_key("ci", READ)).key

    refused(await anybody("GET", LIST, Authorization=f"Bearer {key}"), 401, "UNAUTHENTICATED")
    async with raw(suite.url, ada) as api:
        refused(await api("GET", LIST, X_API_Key=key), 400, "VALIDATION_ERROR")
        assert (await api("GET", LIST)).status == 200
    assert (await anybody("GET", LIST, X_API_Key=key)).status == 200


async def test_in_the_url_a_key_is_refused_whatever_it_is_called(
    suite: Suite, ada: Person, anybody: Raw
) -> None:
    key = (await ada.create_api_key("ci", READ)).key
    queries = [
        f"api_key={key}", f"apikey={key}", "X-API-Key=secret", f"limit=2&tag={key}",
        f"tag={key.replace('_', '%5F')}",
    ]  # fmt: skip

    for query in queries:
        refused(await anybody("GET", f"{LIST}?{query}"), 400, "VALIDATION_ERROR")
        refused(await anybody("GET", f"{LIST}?{query}", X_API_Key=key), 400, "VALIDATION_ERROR")
    assert (await anybody("GET", f"{LIST}?tag=x", X_API_Key=key)).status == 200
    assert key not in suite.said + suite.logged


async def test_a_deleted_key_is_dead_within_a_second(ada: Person, anybody: Raw) -> None:
    key, other = [await ada.create_api_key("ci", READ) for _ in range(2)]
    for path in (LIST, "/v1/notifications"):
        assert (await anybody("GET", path, X_API_Key=key.key)).status in (200, 403)

    await ada.delete_api_key(key.id)
    refused(await _soon(anybody, key.key, 401), 401, "UNAUTHENTICATED")
    assert (await anybody("GET", LIST, X_API_Key=other.key)).status == 200


async def test_a_deleted_key_is_dead_on_another_gateway_as_soon(suite: Suite, ada: Person) -> None:
    async with (
        second_gateway(suite) as url,
        http_session(url, skip_auto_headers=["Content-Type", "Accept-Encoding"]) as http,
    ):
        other = Raw(http)
        for _ in range(8):
            key = await ada.create_api_key("ci", READ)
            assert (await other("GET", LIST, X_API_Key=key.key)).status == 200
            await ada.delete_api_key(key.id)
            refused(await _soon(other, key.key, 401), 401, "UNAUTHENTICATED")
            refused(await other("GET", LIST, X_API_Key=key.key), 401, "UNAUTHENTICATED")


async def test_a_stream_ends_with_its_key(suite: Suite, ada: Person) -> None:
    key = await ada.create_api_key("ci", ["notifications:read"])
    async with (
        http_session(suite.url, headers={"X-API-Key": key.key}) as http,
        http.get("/v1/notifications/stream") as stream,
    ):
        assert (stream.status, await stream.content.readline()) == (200, b"retry: 2000\n")

        await ada.delete_api_key(key.id)

        async with asyncio.timeout(20.0):
            await stream.content.read()


async def test_a_key_has_a_limit_of_its_own(ada: Person, anybody: Raw) -> None:
    limited = await ada.create_api_key("ci", READ, rate_limit=5)
    free = await ada.create_api_key("ci", READ)

    answers = [await anybody("GET", LIST, X_API_Key=limited.key) for _ in range(7)]

    assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
    refused(answers[5], 429, "RATE_LIMITED")
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 12
    assert '"key";q=5;w=60' in answers[0].headers["RateLimit-Policy"]
    assert (await anybody("GET", LIST, X_API_Key=free.key)).status == 200


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (["198.51.100.0/24"], "198.51.100.7", "198.51.101.7"),
        (["198.51.100.7"], "::ffff:198.51.100.7", "198.51.100.8"),
        (["2001:db8:1::/48", "192.0.2.1"], "2001:db8:1:2::3", "2001:db8:2::3"),
    ],
)
async def test_a_key_is_good_only_from_where_it_may_be_used(
    ada: Person, anybody: Raw, allowed: list[str], inside: str, outside: str
) -> None:
    key = (await ada.create_api_key("ci", READ, allowed_ips=allowed)).key

    good = await anybody("GET", LIST, X_API_Key=key, X_Forwarded_For=inside)
    bad = await anybody("GET", LIST, X_API_Key=key, X_Forwarded_For=outside)
    spoofed = await anybody("GET", LIST, X_API_Key=key, X_Forwarded_For=f"{inside}, {outside}")

    assert good.status == 200
    for answer in (bad, spoofed):
        refused(answer, 403, "PERMISSION_DENIED")
        assert answer.json["error"]["details"] == [{"field": "reason", "message": "ip_not_allowed"}]


async def test_an_address_that_is_denied_gets_nothing_at_all(anybody: Raw) -> None:
    for path in ("/openapi.json", LIST, "/v1/auth/login"):
        answer = await anybody("GET", path, X_Forwarded_For="203.0.113.66")
        refused(answer, 403, "PERMISSION_DENIED")
        assert answer.json["error"]["details"] == [{"field": "reason", "message": "ip_not_allowed"}]
    good = await anybody("GET", "/openapi.json", X_Forwarded_For="203.0.113.67")
    assert good.status == 200


@pytest.mark.parametrize("wanted", ["users:write", "executions:read-all", "api-keys:write"])
async def test_nobody_gives_a_key_more_than_they_have(ada: Person, wanted: str) -> None:
    with pytest.raises(PermissionDenied) as denied:
        await ada.create_api_key("ci", [*READ, wanted])
    assert wanted in denied.value.details[0].message

    key = await ada.create_api_key("ci", READ)
    with pytest.raises(PermissionDenied):
        await ada.update_api_key(key.id, permissions=[*READ, wanted])
    assert (await ada.api_key(key.id)).permissions == READ


async def test_a_key_does_only_what_it_was_made_for(suite: Suite, ada: Person) -> None:
    key = await ada.create_api_key("ci", [*READ, "users:self", "api-keys:read"])
    async with Client(suite.url, api_key=key.key) as program:
        assert [each async for each in program.list()] == []
        assert (await program.me()).email == ada.email
        with pytest.raises(PermissionDenied):
            await program.publish("document: {}")
        for attempt in (
            program.create_api_key("mine", READ),
            program.rotate_api_key(key.id),
            program.update_api_key(key.id, allowed_ips=[]),
            program.delete_api_key(key.id),
            program.logout(),
        ):
            with pytest.raises(PermissionDenied):
                await attempt
        assert [each.id async for each in program.api_keys()] == [key.id]


async def test_a_stolen_store_holds_no_key(suite: Suite, ada: Person, anybody: Raw) -> None:
    made: NewApiKey = await ada.create_api_key("ci", READ)
    rotated = await ada.rotate_api_key(made.id)
    secret = made.key.removeprefix(made.prefix)
    stolen = b"".join(path.read_bytes() for path in suite.data.glob("auth.db*"))

    digest = hashlib.sha256(made.key.encode()).digest()
    for trace in (secret, digest, digest.hex(), base64.b64encode(digest).decode()):
        assert (trace if isinstance(trace, bytes) else trace.encode()) not in stolen
    # What is there, is good for nothing: neither the prefix nor any stored bytes are a key.
    at = stolen.index(made.prefix.encode())
    for length in (32, 64):
        for offset in range(at, at + 120, 8):
            piece = stolen[offset : offset + length].hex()
            answer = await anybody("GET", LIST, X_API_Key=f"sk_live_{piece}"[:68])
            assert answer.status == 401
    for text in (made.key, rotated.key):
        assert (await anybody("GET", LIST, X_API_Key=text)).status == 200


async def test_other_peoples_keys_do_not_exist(suite: Suite, ada: Person, anybody: Raw) -> None:
    key = await ada.create_api_key("ci", READ)
    async with signed_up(suite.url, "Eve") as eve, raw(suite.url, eve) as api:
        for method, path in (
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"),
        ):  # fmt: skip
            body = None if method in ("GET", "DELETE") else b"{}"
            kind = {} if body is None else {"Content_Type": "application/json"}
            answer = await api(method, f"/v1/api-keys/{key.id}{path}", body, **kind)
            refused(answer, 404, "NOT_FOUND")
        assert (await api("GET", "/v1/api-keys?all=true")).json["items"] == []

    assert (await ada.api_key(key.id)).updated_at == key.updated_at
    assert (await anybody("GET", LIST, X_API_Key=key.key)).status == 200


async def test_a_key_never_outlives_its_owners_rights(suite: Suite, anybody: Raw) -> None:
    known = suite.administrator
    async with (
        Client(suite.url, email=known.email, password=known.password) as admin,
        signed_up(suite.url, "Bob") as bob,
    ):
        key = (await bob.create_api_key("ci", READ)).key
        me = (await bob.me()).id
        assert (await anybody("GET", LIST, X_API_Key=key)).status == 200

        await admin.set_roles(me, [])
        refused(await _soon(anybody, key, 403), 403, "PERMISSION_DENIED")
        await admin.set_roles(me, ["user"])
        assert (await _soon(anybody, key, 200)).status == 200

        tokens = await admin.login(known.email, str(known.password))
        gone = await anybody(
            "POST", f"/v1/users/{me}/deactivate", Authorization=f"Bearer {tokens.access_token}"
        )
        assert gone.status < 300, gone.body
        refused(await _soon(anybody, key, 401), 401, "UNAUTHENTICATED")


async def _soon(api: Raw, key: str, status: int) -> Answer:
    """What the key is answered once it is *status*, or after twenty seconds; how soon it usually is, is measured elsewhere."""
    ended = time.monotonic() + 20.0
    while (answer := await api("GET", LIST, X_API_Key=key)).status != status:
        if time.monotonic() > ended:
            break
    return answer
