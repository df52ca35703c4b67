"""Fetches what a definition refers to, round by round, until a reading of it lacks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from chassis.errors import FieldProblem, ServiceError, Unavailable
from workflow_service.application.referring import addresses_in
from workflow_service.application.resource_ports import Fetched, Renewal, ResourceFailed, Resources
from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.catalog_uris import function_uri, raw_root
from workflow_service.domain.definition.documents import canonical, parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.pinned import (
    NOTHING_PINNED,
    CatalogFunction,
    Pinned,
    Wanted,
)
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.definition.task_members import ExternalResource
from workflow_service.domain.definition.validation import Reading
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.data_flow import Arguments
from workflow_service.domain.execution.problem import Problem, Raised, configuration
from workflow_service.domain.execution.tasks.parts import resource
from workflow_service.domain.expressions import JsonValue

_ROUNDS: Final = 8
"""How deep functions of catalogs may refer to others that are not known yet."""
_AT_ONCE: Final = 8
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of failures that may be over soon."""

Read = Callable[[Pinned], Reading]


class DefaultCatalog(Protocol):
    """The operator's catalog, which documents call ``default`` and need not name."""

    async def function(self, function: CatalogFunction, *, tenant: str) -> Fetched:
        """Return the file of a function.

        Raises:
            ResourceFailed: it cannot be had.
        """
        ...


class NoResources:
    """Fetches nothing: for what is not connected to anything."""

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        """Refuse."""
        raise ResourceFailed(configuration("nothing is fetched here"))


class ResourcesUnavailable(Unavailable):
    """What a definition refers to cannot be fetched now."""

    def __init__(self, wanted: Wanted, problem: Problem) -> None:
        super().__init__(f"{wanted.what} cannot be fetched now: {_told(problem)}")


@dataclass(frozen=True, slots=True)
class Pinning:
    """Fetches what definitions refer to."""

    resources: Resources
    default_catalog: DefaultCatalog | None = None
    limits: DefinitionLimits = DEFAULT_LIMITS
    renewal: Renewal | None = None

    async def ask_anew(self, document: JsonValue, tenant: str) -> None:
        """Have everything asked about anew that *document* refers to by an address that is written out."""
        if self.renewal is not None:
            await self.renewal.ask_anew(addresses_in(document), tenant=tenant)

    async def complete(self, reading: Reading, read: Read, tenant: str) -> tuple[Reading, Pinned]:
        """Return a reading that lacks nothing, or that has problems, with what was fetched for it.

        Args:
            reading: the first one, for which nothing had been fetched.
            read: reads the document again, with what has been fetched.
            tenant: whose definition it is.

        Raises:
            DefinitionInvalid: something cannot be had, or is not what it should be.
            ResourcesUnavailable: something cannot be had now.
        """
        pinned: dict[str, JsonValue] = {}
        for _ in range(_ROUNDS):
            wanted = reading.builder.wanted.values()
            if not wanted or len(reading.builder.structure.problems):
                return reading, pinned or NOTHING_PINNED
            pinned |= await self._fetched(wanted, tenant)
            self._check_size(pinned, next(iter(wanted)))
            reading = await asyncio.to_thread(read, dict(pinned))
        raise _invalid(
            next(iter(reading.builder.wanted.values())),
            f"functions of catalogs lead to each other more than {_ROUNDS} times",
        )

    async def _fetched(self, wanted: Iterable[Wanted], tenant: str) -> dict[str, JsonValue]:
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Wanted) -> tuple[str, JsonValue]:
            async with places:
                return each.pointer, await self._content(each, tenant)

        return dict(await asyncio.gather(*(one(each) for each in wanted)))

    async def _content(self, wanted: Wanted, tenant: str) -> JsonValue:
        try:
            found = await self._fetch(wanted, tenant)
        except Raised as raised:
            raise _invalid(wanted, f"cannot be fetched: {_told(raised.problem)}") from raised
        except ResourceFailed as failed:
            if failed.problem.status in _LATER:
                raise ResourcesUnavailable(wanted, failed.problem) from failed
            raise _invalid(wanted, f"cannot be fetched: {_told(failed.problem)}") from failed
        kind = "application/json" if found.media_type.endswith("json") else "application/yaml"
        try:
            return await asyncio.to_thread(parse_document, found.content, kind, self.limits)
        except ServiceError as exc:
            raise _invalid(wanted, f"cannot be read: {exc.message}") from exc

    async def _fetch(self, wanted: Wanted, tenant: str) -> Fetched:
        if wanted.resource is None:
            if self.default_catalog is None or wanted.function is None:
                raise ResourceFailed(configuration("there is no default catalog here"))
            return await self.default_catalog.function(wanted.function, tenant=tenant)
        there = _written_out(wanted.resource)
        address = (
            raw_root(there.uri)
            if wanted.function is None
            else function_uri(there.uri, wanted.function.path)
        )
        return await self.resources.fetch(Resource(address, there.credentials), tenant=tenant)

    def _check_size(self, pinned: Pinned, blamed: Wanted) -> None:
        if len(canonical(dict(pinned))) > self.limits.resource_bytes:
            told = f"what a definition refers to may have at most {self.limits.resource_bytes} bytes together"
            raise _invalid(blamed, beyond(told, "definition_resource_bytes"))


def _written_out(wanted: ExternalResource) -> Resource:
    """Return where a resource is; its reader has made sure that it waits for no data."""
    return resource(wanted, None, Arguments({}, {}, may_block=True))


def _invalid(wanted: Wanted, reason: str) -> DefinitionInvalid:
    told = FieldProblem(wanted.place, f"{wanted.what} {reason}")
    return DefinitionInvalid("the definition has 1 problem", details=[told])


def _told(problem: Problem) -> str:
    return problem.detail or problem.title or problem.type


def stored(pinned: Pinned) -> bytes:
    """Return what was fetched as it is stored; nothing is no bytes at all."""
    return canonical(dict(pinned)) if pinned else b""


def restored(content: bytes) -> Pinned:
    """Return what was stored."""
    return msgspec.json.decode(content, type=dict[str, JsonValue]) if content else NOTHING_PINNED
