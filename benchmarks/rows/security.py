"""What checks cost in this process, and the least that the same cryptography could cost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from multidict import CIMultiDict

from auth_service.adapters.argon2_hasher import LANES, MEMORY_KIB, PASSES
from benchmarks.clients import Account
from chassis.caching.memory import MemoryLimits
from chassis.caching.port import LimitPolicy
from chassis.clock import SystemClock
from chassis.ids import RandomIds
from chassis.lifecycle import Supervisor
from chassis.rpc.credentials import TokenVerifier
from chassis.rpc.guards import check
from chassis.rpc.jws import claims_of, header_of, sign
from chassis.rpc.keys import RemoteKeys
from gateway.adapters.auth_grpc import AuthOverGrpc
from gateway.adapters.exchanges import Exchanges
from gateway.adapters.gatekeeper import AUDIENCE, ISSUER, TYP, TokenGatekeeper
from gateway.adapters.key_gatekeeper import ExchangingKeyGatekeeper
from gateway.adapters.key_uses import CountedKeyUses
from gateway.adapters.revocations import Revocations
from gateway.routes.admission import Admission
from gateway.routes.rates import Rates
from gateway.routes.route import Incoming, Reply, Route
from gateway.routes.screening import screen

_ALWAYS: Final = 10**9
_PATH: Final = "/v1/executions"


def argon2_bound(calls: int) -> float:
    """Passwords that one core could check in a second, and do nothing else."""
    hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
    known = hasher.hash("Correct-Horse-9")
    return _rate(lambda: hasher.verify(known, "Correct-Horse-9"), calls)


def signing_bound(calls: int) -> float:
    """ES256 signatures of 400 bytes that one core could make in a second."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _rate(lambda: key.sign(b"x" * 400, ec.ECDSA(hashes.SHA256())), calls)


def verifying_bound(calls: int) -> float:
    """ES256 signatures of 400 bytes that one core could verify in a second."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(b"x" * 400, ec.ECDSA(hashes.SHA256()))
    return _rate(lambda: public.verify(signature, b"x" * 400, ec.ECDSA(hashes.SHA256())), calls)


def checks_per_second(calls: int) -> float:
    """Access tokens that the gateway could verify in a second when it has seen none of them."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    at = int(now.timestamp())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10", "sid": "s",
        "tenant": "default", "client_id": "autoworker", "iat": at, "exp": at + 600,
    }  # fmt: skip
    tokens = iter(
        [sign({**claims, "jti": str(n)}, key, typ=TYP, kid="k") for n in range(calls + 1)]
    )

    def once() -> None:
        token = next(tokens)
        header_of(token)
        claims_of(token, key.public_key(), typ=TYP, issuer=ISSUER, audience=AUDIENCE, now=now)

    return _rate(once, calls)


async def chain_p50(folder: str, user: Account, calls: int) -> float:
    """Microseconds of every check that a GET passes in gateway and service, when it is not the first.

    Screening, addresses, credentials, token, session, rights, rates and permission in the gateway;
    internal token and guard in the service.
    """
    clock, policy = SystemClock(), LimitPolicy("bench", _ALWAYS, 1.0)
    async with Supervisor() as supervisor:
        revocations = Revocations(clock, lambda revocation: None)
        revocations.heard()
        exchanges = Exchanges(revocations, supervisor, clock)
        keys = RemoteKeys(AuthOverGrpc(user.client).access_keys, clock=clock)
        admission = Admission(
            TokenGatekeeper(user.client, keys, revocations, exchanges, clock),
            ExchangingKeyGatekeeper(user.client, exchanges),
            CountedKeyUses(user.client, clock, RandomIds()),
            Rates(MemoryLimits(clock), principal=policy, address=policy, auth=policy),
        )
        internal = RemoteKeys(user.internal_keys, clock=clock)
        verifier = TokenVerifier("svc:workflow", Path(folder) / "keys", internal, clock=clock)
        took: list[float] = []
        for _ in range(calls + 10):
            revocations.heard()
            request = _incoming(user.access_token)
            began = time.perf_counter()
            screen(request.http)
            admission.check(request)
            await admission.admit(request, _ROUTE)
            check("executions:read", await verifier.verify(request.caller.credential))
            took.append(time.perf_counter() - began)
    return sorted(took[10:])[calls // 2] * 1e6


def _incoming(token: str) -> Incoming:
    headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1", "Accept": "*/*"}
    http = make_mocked_request("GET", _PATH, headers=headers)
    return Incoming(
        http=http,
        method="GET",
        path=_PATH,
        query_text="",
        headers=http.headers,
        request_id="r",
        address="127.0.0.1",
        started=0.0,
        answer_headers=CIMultiDict(),
    )


async def _unused(request: Incoming) -> web.StreamResponse:
    raise AssertionError("nothing is served here")


_ROUTE: Final = Route(
    method="GET",
    path=_PATH,
    handler=_unused,
    summary="",
    tag="",
    replies=[Reply(200, "")],
    permission="executions:read",
)


def _rate(once: Callable[[], object], calls: int) -> float:
    once()
    began = time.process_time()
    for _ in range(calls):
        once()
    return calls / max(time.process_time() - began, 1e-9)
