"""What is kept of tokens and nonces has an end, whatever workflows ask for."""

from __future__ import annotations

from multidict import CIMultiDict, CIMultiDictProxy

from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressRequest, EgressResponse
from workflow_service.domain.execution.credentials import (
    Credentials,
    DigestCredentials,
    OAuthClient,
    OAuthCredentials,
)

TOKENS = "https://a.test/oauth2/token"


class World:
    """Plays an authority, and a service that wants digests."""

    def __init__(self) -> None:
        self.asked: list[EgressRequest] = []
        self.egress = AuthenticatedEgress(self)

    async def request(self, request: EgressRequest) -> EgressResponse:
        """See ``Egress``."""
        self.asked.append(request)
        challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
        wanted = "digest" in request.url and "Authorization" not in request.headers
        headers = CIMultiDictProxy(CIMultiDict(challenge if wanted else {}))
        body = b'{"access_token": "t", "expires_in": 3600}'
        return EgressResponse(401 if wanted else 200, headers, body, request.url)

    async def call(self, url: str, credentials: Credentials, tenant: str = "t") -> int:
        """Call, and return how many requests that took."""
        before = len(self.asked)
        await self.egress.send(EgressRequest("GET", url), credentials, tenant=tenant)
        return len(self.asked) - before


def client(number: int) -> OAuthCredentials:
    return OAuthCredentials(
        authority="https://a.test",
        grant="client_credentials",
        client=OAuthClient(f"c{number}", "s"),
    )


async def test_the_tokens_that_were_not_used_for_longest_make_room() -> None:
    world = World()
    for number in range(1_000):
        assert await world.call("https://x.test/", client(number)) == 2
    assert await world.call("https://x.test/", client(0)) == 1

    assert await world.call("https://x.test/", client(1_000)) == 2

    assert await world.call("https://x.test/", client(0)) == 1
    assert await world.call("https://x.test/", client(1)) == 2


async def test_the_oldest_nonces_make_room() -> None:
    world, ada = World(), DigestCredentials("ada", "p")
    for number in range(1_001):
        assert await world.call("https://digest.test/", ada, f"t{number}") == 2

    assert await world.call("https://digest.test/", ada, "t1000") == 1
    assert await world.call("https://digest.test/", ada, "t0") == 2


async def test_nothing_that_is_kept_is_the_credentials() -> None:
    world = World()
    secret = OAuthCredentials(
        authority="https://a.test",
        grant="client_credentials",
        client=OAuthClient("c", "sesame-open"),
    )
    await world.call("https://x.test/", secret)

    assert b"sesame-open" in (world.asked[0].body or b"")
    kept = world.egress._tokens._given
    assert "sesame" not in repr(kept)
