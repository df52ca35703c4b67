"""Definitions that refer to documents elsewhere, published with a world that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from chassis.errors import Unavailable
from tests.support.time import ManualClock
from workflow_service.application.commands.publish_definition import (
    PublishDefinition,
    PublishDefinitionHandler,
)
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.pinning import Pinning
from workflow_service.application.ports import StoredDefinition
from workflow_service.application.resource_ports import Fetched, ResourceFailed
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.pinned import CatalogFunction
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.execution.credentials import BasicCredentials, Resource
from workflow_service.domain.execution.problem import ERRORS, Problem
from workflow_service.domain.expressions import Expressions

HEAD = "document: {dsl: '1.0.3', namespace: test, name: w, version: '1.0.0'}\n"
ROOT = "https://catalog.test"
GREET = f"{ROOT}/functions/greet/1.0.0/function.yaml"
CALL = f"{HEAD}use: {{catalogs: {{c: {{endpoint: '{ROOT}'}}}}}}\ndo: [{{t: {{call: 'greet:1.0.0@c'}}}}]\n"


class Elsewhere:
    """Documents by their addresses."""

    def __init__(self, files: Mapping[str, str | int]) -> None:
        self.files = dict(files)
        self.asked: list[Resource] = []
        self.anew: list[tuple[str, set[str]]] = []

    async def ask_anew(self, addresses: Iterable[str], *, tenant: str) -> None:
        self.anew.append((tenant, set(addresses)))

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        self.asked.append(resource)
        found = self.files.get(resource.uri, 404)
        if isinstance(found, int):
            told = f"The service answered with status {found}."
            raise ResourceFailed(Problem(ERRORS + "communication", found, "Unsuccessful", told))
        return Fetched(found.encode(), "text/plain", resource.uri, "sha256:0")

    async def function(self, function: CatalogFunction, *, tenant: str) -> Fetched:
        return await self.fetch(Resource(f"default:{function.path}"), tenant=tenant)


class Shelf:
    """Published definitions in memory: what publishing needs of them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], StoredDefinition] = {}

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        place = (definition.tenant, definition.namespace, definition.name, definition.version)
        return self.rows.setdefault(place, definition)

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        return self.rows.get((tenant, namespace, name, version))


class Publisher:
    """The use case, around a world."""

    def __init__(
        self,
        files: Mapping[str, str | int],
        *,
        default: bool = False,
        limits: DefinitionLimits | None = None,
    ) -> None:
        self.elsewhere = Elsewhere(files)
        self.shelf = Shelf()
        expressions = Expressions()
        self.compiled = CompiledDefinitions(expressions)
        chosen = limits or DefinitionLimits()
        catalog = self.elsewhere if default else None
        self._publish = PublishDefinitionHandler(
            self.shelf,  # type: ignore[arg-type]
            self.compiled,
            expressions,
            ManualClock(),
            chosen,
            pinning=Pinning(self.elsewhere, catalog, chosen, self.elsewhere),
        )

    async def publish(self, text: str) -> StoredDefinition:
        command = PublishDefinition("default", "ada", text.encode(), "application/yaml")
        return (await self._publish(command)).definition

    async def refused(self, text: str) -> dict[str, str]:
        with pytest.raises(DefinitionInvalid) as refusal:
            await self.publish(text)
        return {each.field: each.message for each in refusal.value.details}


def tasks(definition: StoredDefinition) -> set[str]:
    """The references of the tasks, as a process sees them that reads what is stored."""
    read = CompiledDefinitions(Expressions())._compile(definition)
    assert read.digest == definition.digest
    return set(read.tasks)


async def test_a_function_is_pinned_with_the_definition() -> None:
    publisher = Publisher({GREET: "set: {hello: true}"})

    stored = await publisher.publish(CALL)

    assert tasks(stored) == {"/do/0/t", "/use/catalogs/c/greet:1.0.0"}
    assert [each.uri for each in publisher.elsewhere.asked] == [GREET]


async def test_what_changes_elsewhere_changes_nothing_that_is_published() -> None:
    publisher = Publisher({GREET: "set: {hello: true}"})
    stored = await publisher.publish(CALL)
    publisher.elsewhere.files[GREET] = "raise: {error: {type: runtime, status: 500}}"

    again = await publisher.publish(CALL)

    assert again == stored
    assert len(publisher.elsewhere.asked) == 1


async def test_the_same_document_with_other_functions_is_another_definition() -> None:
    one = await Publisher({GREET: "set: {hello: true}"}).publish(CALL)
    other = await Publisher({GREET: "set: {hello: false}"}).publish(CALL)
    plain = await Publisher({}).publish(f"{HEAD}do: [{{t: {{set: {{a: 1}}}}}}]")

    assert one.document == other.document
    assert one.digest != other.digest
    assert plain.pinned == b""


async def test_functions_call_functions_of_the_same_catalog() -> None:
    publisher = Publisher(
        {
            GREET: "do: [{a: {call: 'low:2.0.0@c'}}]",
            f"{ROOT}/functions/low/2.0.0/function.yaml": "set: {deep: true}",
        }
    )

    assert "/use/catalogs/c/low:2.0.0" in tasks(await publisher.publish(CALL))


async def test_a_function_that_calls_itself_is_refused() -> None:
    publisher = Publisher({GREET: "do: [{a: {call: 'greet:1.0.0@c'}}]"})

    found = await publisher.refused(CALL)

    assert "calls itself" in found["/use/catalogs/c/greet:1.0.0/do/0/a/call"]


async def test_functions_that_lead_on_for_ever_are_refused() -> None:
    files = {
        f"{ROOT}/functions/f{n}/1.0.0/function.yaml": f"do: [{{a: {{call: 'f{n + 1}:1.0.0@c'}}}}]"
        for n in range(30)
    }
    publisher = Publisher(files)

    found = await publisher.refused(CALL.replace("greet", "f0"))

    assert "more than 8 times" in next(iter(found.values()))


async def test_a_function_sees_nothing_of_the_document_that_calls_it() -> None:
    publisher = Publisher(
        {
            GREET: "do: [{a: {set: {x: '${ $secrets.s }'}}}, {b: {raise: {error: own}}},"
            " {c: {call: mine}}]"
        }
    )
    use = "secrets: [s], errors: {own: {type: runtime, status: 500}}, functions: {mine: {set: {a: 1}}}, catalogs"

    found = await publisher.refused(CALL.replace("catalogs", use, 1))

    below = "/use/catalogs/c/greet:1.0.0/do"
    assert set(found) == {f"{below}/0/a/set/x", f"{below}/1/b/raise/error", f"{below}/2/c/call"}


async def test_what_is_wrong_in_a_function_is_told_at_its_place() -> None:
    publisher = Publisher({GREET: "do: [{a: {wait: {sconds: 1}}}]"})

    found = await publisher.refused(CALL)

    assert all(field.startswith("/use/catalogs/c/greet:1.0.0/do/0/a/wait") for field in found)


@pytest.mark.parametrize("content", ["[1, 2]", "just text"])
async def test_what_is_no_task_is_no_function(content: str) -> None:
    assert "is no function" in (await Publisher({GREET: content}).refused(CALL))["/do/0/t/call"]


async def test_what_is_no_document_is_refused() -> None:
    assert "cannot be read" in (await Publisher({GREET: "{a: ["}).refused(CALL))["/do/0/t/call"]


async def test_a_function_that_is_not_there_is_refused_where_it_is_called() -> None:
    found = await Publisher({}).refused(CALL)

    assert found == {
        "/do/0/t/call": "the function greet:1.0.0@c cannot be fetched: The service answered with status 404."
    }


@pytest.mark.parametrize("status", [500, 503, 408, 429])
async def test_what_cannot_be_had_now_may_be_had_later(status: int) -> None:
    with pytest.raises(Unavailable, match=r"greet:1\.0\.0@c cannot be fetched now"):
        await Publisher({GREET: status}).publish(CALL)


async def test_a_catalog_is_asked_with_its_credentials() -> None:
    publisher = Publisher({GREET: "set: {a: 1}"})
    endpoint = f"{{uri: '{ROOT}', authentication: {{basic: {{username: ada, password: pw}}}}}}"

    await publisher.publish(CALL.replace(f"'{ROOT}'", endpoint))

    assert publisher.elsewhere.asked == [Resource(GREET, BasicCredentials("ada", "pw"))]


@pytest.mark.parametrize(
    "endpoint",
    ["'${ .root }'", "{uri: 'https://c.test', authentication: {bearer: {token: '${ .t }'}}}",
     "{uri: 'https://c.test', authentication: {basic: {use: s}}}"],
)  # fmt: skip
async def test_a_catalog_that_waits_for_data_is_refused(endpoint: str) -> None:
    text = CALL.replace(f"'{ROOT}'", endpoint).replace("use: {", "use: {secrets: [s], ", 1)

    assert "write it out" in (await Publisher({}).refused(text))["/use/catalogs/c/endpoint"]


async def test_the_default_catalog_need_not_be_named() -> None:
    publisher = Publisher(
        {"default:functions/greet/1.0.0/function.yaml": "set: {a: 1}"}, default=True
    )
    text = f"{HEAD}do: [{{t: {{call: 'greet:1.0.0@default'}}}}]"

    assert "/use/catalogs/default/greet:1.0.0" in tasks(await publisher.publish(text))


async def test_a_catalog_of_the_document_stands_before_the_default_one() -> None:
    publisher = Publisher({GREET: "set: {a: 1}"}, default=True)

    await publisher.publish(CALL.replace("{c: {", "{default: {").replace("@c", "@default"))

    assert [each.uri for each in publisher.elsewhere.asked] == [GREET]


async def test_without_a_default_catalog_it_is_what_is_served() -> None:
    found = await Publisher({}).refused(f"{HEAD}do: [{{t: {{call: 'greet:1.0.0@default'}}}}]")

    assert "nobody has ever served" in found["/do/0/t/call"]


async def test_a_schema_elsewhere_is_pinned() -> None:
    there = "https://schemas.test/order.json"
    publisher = Publisher({there: '{"type": "object"}'})
    text = f"{HEAD}input: {{schema: {{resource: {{endpoint: '{there}'}}}}}}\ndo: [{{t: {{set: {{a: 1}}}}}}]"

    stored = await publisher.publish(text)

    read = CompiledDefinitions(Expressions())._compile(stored)
    schema = read.data_flow.input_schema
    assert schema is not None
    assert schema.problem({}) is None
    assert schema.problem(7) is not None


async def test_a_schema_elsewhere_that_is_none_is_refused_at_its_place() -> None:
    there = "https://schemas.test/order.json"
    text = f"{HEAD}input: {{schema: {{resource: {{endpoint: '{there}'}}}}}}\ndo: [{{t: {{set: {{a: 1}}}}}}]"

    found = await Publisher({there: "type: nothing-known"}).refused(text)

    assert list(found) == ["/input/schema/resource"]


async def test_what_is_fetched_is_bounded() -> None:
    many = ", ".join(f"{{t{n}: {{call: 'f{n}:1.0.0@c'}}}}" for n in range(4))
    text = CALL.replace("{t: {call: 'greet:1.0.0@c'}}", many)
    files = {
        f"{ROOT}/functions/f{n}/1.0.0/function.yaml": f"set: {{a: {'x' * 500}}}" for n in range(4)
    }

    assert len(tasks(await Publisher(files).publish(text))) == 8
    count = await Publisher(files, limits=DefinitionLimits(resources=3)).refused(text)
    size = await Publisher(files, limits=DefinitionLimits(resource_bytes=1000)).refused(text)
    number = await Publisher(files, limits=DefinitionLimits(tasks=6)).refused(text)

    assert "DEFINITION_RESOURCES" in next(iter(count.values()))
    assert "DEFINITION_RESOURCE_BYTES" in next(iter(size.values()))
    assert "DEFINITION_TASKS" in next(iter(number.values()))


async def test_publishing_means_what_stands_now_where_a_document_points_to() -> None:
    publisher = Publisher({})
    text = f"""{HEAD}
do:
  - a: {{call: openapi, with: {{document: {{endpoint: 'https://x.test/api.json'}}, operationId: o}}}}
  - b:
      call: grpc
      with:
        proto: {{name: p, endpoint: {{uri: 'https://github.com/o/r/blob/main/p.proto'}}}}
        service: {{name: s, host: h.test}}
        method: m
  - c: {{call: openapi, with: {{document: {{endpoint: '${{ .where }}'}}, operationId: o}}}}
  - d: {{call: http, with: {{method: get, endpoint: 'https://x.test/called'}}}}
"""
    await publisher.publish(text)

    shown = "https://github.com/o/r/blob/main/p.proto"
    raw = "https://raw.githubusercontent.com/o/r/refs/heads/main/p.proto"
    assert publisher.elsewhere.anew == [("default", {"https://x.test/api.json", shown, raw})]
