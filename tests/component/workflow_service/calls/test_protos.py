"""Protos: what they may import, and what becomes of those that do not compile."""

from __future__ import annotations

import pytest

from tests.support.documents import Documents
from workflow_service.adapters.task_runners.grpc_calls.compiling import (
    Compiler,
    CompilerLimits,
    ProtoInvalid,
)
from workflow_service.adapters.task_runners.grpc_calls.protos import ProtoLimits, Protos
from workflow_service.domain.execution.credentials import BearerCredentials, Resource

PLACE = "https://docs.test/a/b.proto"
SERVICE = "message M {} service S { rpc Do(M) returns (M); }"


def head(*imports: str) -> str:
    return 'syntax = "proto3";' + "".join(f'import "{name}";' for name in imports)


async def test_imports_are_fetched_from_the_protos_folder_with_its_credentials() -> None:
    documents = Documents(
        {
            PLACE: head("c/d.proto", "google/protobuf/empty.proto") + SERVICE,
            "https://docs.test/a/c/d.proto": head("e.proto"),
            "https://docs.test/a/e.proto": head(),
        }
    )
    token = BearerCredentials("t")

    schema = await Protos(documents, Compiler()).schema(Resource(PLACE, token), tenant="t")

    assert schema.services == ("S",)
    assert documents.fetched == [
        Resource(PLACE, token),
        Resource("https://docs.test/a/c/d.proto", token),
        Resource("https://docs.test/a/e.proto", token),
    ]


@pytest.mark.parametrize(
    "name",
    ["../x.proto", "/etc/x.proto", "https://e.test/x.proto", "a/../../x.proto", "//e.test/x.proto",
     "a\\b.proto", "x.txt", ".hidden.proto", "a//b.proto", f"{'x' * 300}.proto"],
)  # fmt: skip
async def test_nothing_is_imported_from_elsewhere(name: str) -> None:
    documents = Documents({PLACE: head(name) + SERVICE})

    with pytest.raises(ProtoInvalid, match="only relative names below its own folder"):
        await Protos(documents, Compiler()).schema(Resource(PLACE), tenant="t")

    assert documents.fetched == [Resource(PLACE)]


async def test_a_chain_of_imports_has_an_end() -> None:
    chain = {f"https://docs.test/a/{n}.proto": head(f"{n + 1}.proto") for n in range(9)}
    documents = Documents({PLACE: head("0.proto"), **chain})

    with pytest.raises(ProtoInvalid, match="more than 5 files"):
        await Protos(documents, Compiler(), ProtoLimits(files=5)).schema(
            Resource(PLACE), tenant="t"
        )

    assert len(documents.fetched) == 5


async def test_a_proto_and_its_imports_are_bounded_together() -> None:
    documents = Documents({PLACE: head("c.proto"), "https://docs.test/a/c.proto": "/" * 1_000})

    with pytest.raises(ProtoInvalid, match="more than 1000 bytes"):
        await Protos(documents, Compiler(), ProtoLimits(bytes=1_000)).schema(
            Resource(PLACE), tenant="t"
        )


@pytest.mark.parametrize(
    ("proto", "told"),
    [
        ("mesage X {}", "b.proto:1:19"),
        ("message X { Y y = 1; }", '"Y" is not defined'),
        ("message X { string a = 1; string a = 2; }", "already defined"),
    ],
)
async def test_what_does_not_compile_says_where(proto: str, told: str) -> None:
    with pytest.raises(ProtoInvalid) as caught:
        await Protos(Documents({PLACE: head() + proto}), Compiler()).schema(
            Resource(PLACE), tenant="t"
        )

    assert told in str(caught.value)
    assert "/tmp" not in str(caught.value)  # noqa: S108 - no folder of this machine may be told


async def test_a_compilation_that_takes_too_long_is_ended() -> None:
    compiler = Compiler(CompilerLimits(seconds=0.001))

    with pytest.raises(ProtoInvalid, match=r"within 0.001 s"):
        await compiler.compiled("b.proto", {"b.proto": (head() + SERVICE).encode()})


async def test_a_proto_that_nests_without_end_breaks_nothing() -> None:
    deep = "message M {" * 20_000

    with pytest.raises(ProtoInvalid):
        await Compiler().compiled("b.proto", {"b.proto": (head() + deep).encode()})
    assert await Compiler().compiled("b.proto", {"b.proto": (head() + SERVICE).encode()})
