"""`call: grpc` against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import msgspec
import pytest

from tests.component.workflow_service.calls.shop import MONEY, SHOP, Shop, open_shop, self_signed
from tests.support.authority import CLIENT, SECRET, serving_tokens
from tests.support.certificates import CertificateAuthority
from tests.support.documents import Documents
from tests.support.ports import free_port
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient
from workflow_service.adapters.task_runners.grpc_calls.compiling import Compiler
from workflow_service.adapters.task_runners.grpc_calls.protos import Protos
from workflow_service.adapters.task_runners.grpc_calls.runner import GrpcLimits, GrpcRunner
from workflow_service.adapters.task_runners.grpc_calls.statuses import STATUSES
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    DigestCredentials,
    OAuthClient,
    OAuthCredentials,
    Resource,
)
from workflow_service.domain.execution.effects import Effect, Failed, GrpcCall, Succeeded
from workflow_service.domain.execution.problem import ERRORS, Problem

PLACE = "https://docs.test/shop/shop.proto"
DOCUMENTS = {PLACE: SHOP, "https://docs.test/shop/common/money.proto": MONEY}


@dataclass
class World:
    """A shop, and a runner that reaches it."""

    shop: Shop
    runner: GrpcRunner
    documents: Documents

    async def call(self, method: str = "Place", **more: Any) -> Any:
        """What a call comes to: data, or a problem."""
        given = {"host": "service.test", "port": self.shop.port, "service": "shop.v1.Shop", **more}
        call = GrpcCall(proto=Resource(PLACE), method=method, **given)
        match await self.runner.perform("e1", Effect(1, "e1:/do/0/a", call)):
            case Succeeded(output):
                return output
            case Failed(problem):
                return problem


def runner_of(egress: EgressClient, documents: Documents, **more: Any) -> GrpcRunner:
    limits = GrpcLimits(bytes=20_000, items=5)
    return GrpcRunner(
        egress.doors, AuthenticatedEgress(egress), Protos(documents, Compiler()), limits, **more
    )


@pytest.fixture
async def world(egress: EgressClient) -> AsyncIterator[World]:
    documents = Documents(DOCUMENTS)
    schema = await Protos(Documents(DOCUMENTS), Compiler()).schema(Resource(PLACE), tenant="t")
    async with open_shop(schema, Shop()) as shop:
        yield World(shop, runner_of(egress, documents), documents)


async def test_fields_go_and_come_as_the_json_mapping_has_them(world: World) -> None:
    answer = await world.call(
        arguments={
            "number": "9007199254740993",
            "customerName": "Ada",
            "price": {"currency": "EUR", "amount": 1.5},
            "placed_at": "2026-01-15T12:00:00Z",
            "stamp": "AP8=",
        }
    )

    assert answer == {
        "number": "9007199254740993",
        "customerName": "Ada",
        "price": {"currency": "EUR", "amount": 1.5},
        "placedAt": "2026-01-15T12:00:00Z",
        "paid": False,
        "stamp": "AP8=",
        "state": "OPEN",
    }


async def test_an_optional_field_is_there_once_it_is_set(world: World) -> None:
    assert (await world.call(arguments={"discount": 0}))["discount"] == 0


async def test_a_stream_of_answers_comes_as_a_list(world: World) -> None:
    answers = await world.call("Watch", arguments={"paid": True})

    assert [(each["number"], each["paid"]) for each in answers] == [
        ("0", True), ("1", True), ("2", True),
    ]  # fmt: skip


async def test_a_stream_is_as_long_as_the_limit_says(world: World) -> None:
    world.shop.copies = 6

    problem = await world.call("Watch")

    assert (problem.type, problem.status) == (ERRORS + "runtime", 500)
    assert "AUTOWORKER_LIMIT_STREAM_ITEMS" in problem.detail


async def test_a_stream_is_as_large_as_a_response_may_be(world: World) -> None:
    problem = await world.call("Watch", arguments={"customerName": "x" * 8_000})

    assert (problem.type, problem.status) == (ERRORS + "communication", 500)
    assert "20000 bytes" in problem.detail


async def test_every_repetition_shows_the_same_key_and_the_credentials(world: World) -> None:
    for credentials in (BearerCredentials("t0"), BasicCredentials("ada", "pw")):
        _ = await world.call(credentials=credentials)

    assert [each["idempotency-key"] for each in world.shop.metadata] == ["e1:/do/0/a"] * 2
    assert [each["authorization"] for each in world.shop.metadata] == [
        "Bearer t0",
        "Basic YWRhOnB3",
    ]


async def test_a_token_that_the_service_does_not_accept_is_not_used_again(world: World) -> None:
    async with serving_tokens() as authority:
        policy = OAuthCredentials(
            authority=authority.url,
            grant="client_credentials",
            client=OAuthClient(CLIENT, SECRET),
        )
        for refusal in (None, (grpc.StatusCode.UNAUTHENTICATED, "old"), None):
            world.shop.refusal = refusal
            _ = await world.call(credentials=policy)

    first, same, new = (each["authorization"] for each in world.shop.metadata)
    assert first == same != new
    assert len(authority.asked) == 2


async def test_digest_authentication_is_not_for_grpc(world: World) -> None:
    problem = await world.call(credentials=DigestCredentials("ada", "pw"))

    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)
    assert world.shop.metadata == []


Guarded: TypeAlias = tuple[World, CertificateAuthority]


@pytest.fixture
async def guarded(egress: EgressClient) -> AsyncIterator[Guarded]:
    authority = CertificateAuthority()
    server = authority.identity("service.test")
    schema = await Protos(Documents(DOCUMENTS), Compiler()).schema(Resource(PLACE), tenant="t")
    identity = (server.key.encode(), server.certificate.encode())
    async with open_shop(schema, Shop(), identity, authority.pem.encode()) as shop:
        documents = Documents(DOCUMENTS)
        yield World(shop, runner_of(egress, documents), documents), authority


async def test_a_certificate_opens_a_service_that_wants_one(guarded: Guarded) -> None:
    world, authority = guarded
    ada = authority.identity("ada")
    shown = CertificateCredentials(ada.certificate, ada.key, authority.pem)

    answer = await world.call(tls=True, credentials=shown, arguments={"customerName": "Ada"})

    assert answer["customerName"] == "Ada"
    assert "authorization" not in world.shop.metadata[0]


async def test_a_certificate_of_somebody_else_s_authority_opens_nothing(guarded: Guarded) -> None:
    world, authority = guarded
    mallory = CertificateAuthority().identity("ada")
    shown = CertificateCredentials(mallory.certificate, mallory.key, authority.pem)

    problem = await world.call(tls=True, credentials=shown)

    assert problem.type == ERRORS + "communication"
    assert not any(line in problem.detail for line in mallory.key_lines)
    assert world.shop.metadata == []


async def test_a_key_of_another_certificate_is_authentication_401(guarded: Guarded) -> None:
    world, authority = guarded
    ada, grace = authority.identity("ada"), authority.identity("grace")
    shown = CertificateCredentials(ada.certificate, grace.key, authority.pem)

    problem = await world.call(tls=True, credentials=shown)

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert problem.title == "Client certificate unusable"


async def test_a_certificate_is_not_shown_without_tls(world: World) -> None:
    ada = CertificateAuthority().identity("ada")

    problem = await world.call(credentials=CertificateCredentials(ada.certificate, ada.key))

    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)
    assert "metadata.tls" in problem.detail
    assert world.shop.metadata == []


async def test_the_tasks_time_is_the_deadline_that_the_service_sees(world: World) -> None:
    _ = await world.call(timeout=2.5)
    _ = await world.call()

    in_a_hurry, patient = world.shop.remaining
    assert 0 < in_a_hurry < 3.5 < patient < 21.0


async def test_no_answer_in_time_is_a_timeout(world: World) -> None:
    world.shop.pause = 5.0

    problem = await world.call(timeout=0.1)

    assert (problem.type, problem.status) == (ERRORS + "timeout", 408)


@pytest.mark.parametrize("code", list(STATUSES), ids=lambda code: code.name)
async def test_every_status_has_its_error(world: World, code: grpc.StatusCode) -> None:
    world.shop.refusal = (code, "because")

    problem = await world.call()

    kind, status = STATUSES[code]
    assert (problem.type, problem.status) == (ERRORS + kind, status)
    assert problem.detail == f"The service answered {code.name}: because"


def test_no_status_is_without_an_error() -> None:
    assert set(STATUSES) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


async def test_nobody_there_is_a_communication_error(world: World) -> None:
    problem = await world.call(port=free_port())

    assert (problem.type, problem.status) == (ERRORS + "communication", 503)


@pytest.mark.parametrize("host", ["inside.test", "10.0.0.1", "169.254.169.254", "localhost.inside"])
async def test_what_may_not_be_called_is_refused_or_unknown(world: World, host: str) -> None:
    problem = await world.call(host=host)

    assert problem.status in (403, 500)
    assert world.shop.orders == []


async def test_refusals_say_nothing_more(world: World) -> None:
    problem = await world.call(host="inside.test")

    assert (problem.type, problem.status) == (ERRORS + "authorization", 403)
    assert problem.detail == "The address of the call is not one that may be called."


async def test_the_services_of_the_suite_are_refused_even_when_admitted(world: World) -> None:
    own = f"127.0.0.1:{world.shop.port}"
    async with EgressClient(allow=["127.0.0.1"], own_addresses=lambda: [own]) as egress:
        refused = World(world.shop, runner_of(egress, world.documents), world.documents)
        problem = await refused.call(host="127.0.0.1")

    assert (problem.type, problem.status) == (ERRORS + "authorization", 403)
    assert (await world.call(host="127.0.0.1"))["state"] == "OPEN"


async def test_a_certificate_must_be_for_the_host_and_of_somebody_trusted(
    egress: EgressClient,
) -> None:
    documents = Documents(DOCUMENTS)
    schema = await Protos(documents, Compiler()).schema(Resource(PLACE), tenant="t")
    identity, stranger = self_signed("service.test"), self_signed("other.test")
    async with open_shop(schema, Shop(), identity) as shop:
        trusting = World(shop, runner_of(egress, documents, roots=identity[1]), documents)
        wary = World(shop, runner_of(egress, documents, roots=stranger[1]), documents)

        assert (await trusting.call(tls=True))["state"] == "OPEN"
        assert (await wary.call(tls=True)).status == 503
        assert (await trusting.call(tls=True, host="127.0.0.1")).status == 503
    assert len(shop.orders) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"service": "shop.v1.Shoppe"}, "it has shop.v1.Shop"),
        ({"method": "Buy"}, "it has Place, Send, Watch"),
        ({"method": "Send"}, "wants a stream of messages"),
        ({"arguments": {"price": 3}}, "the arguments are no shop.v1.Order"),
        ({"arguments": {"colour": "red"}}, "colour"),
        ({"credentials": BearerCredentials("a\nb")}, "characters that gRPC cannot carry"),
    ],
)
async def test_what_cannot_be_called_so_is_a_configuration_error(
    world: World, asked: dict[str, Any], told: str
) -> None:
    problem = await world.call(**asked)

    assert isinstance(problem, Problem)
    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)
    assert told in str(problem.detail)
    assert world.shop.orders == []


async def test_an_unchanged_proto_is_compiled_once(world: World, monkeypatch: Any) -> None:
    compiled: list[str] = []
    plain = Compiler.compiled

    async def counted(self: Compiler, name: str, files: Any) -> bytes:
        compiled.append(name)
        return await plain(self, name, files)

    monkeypatch.setattr(Compiler, "compiled", counted)
    _ = await world.call()
    _ = await world.call()

    assert compiled == ["shop.proto"]


def test_a_call_reads_back_as_it_was_stored() -> None:
    call = GrpcCall(Resource(PLACE), "shop.v1.Shop", "service.test", 443, "Place", tls=True)
    effect = Effect(1, "k", call)

    assert msgspec.json.decode(msgspec.json.encode(effect), type=Effect) == effect
