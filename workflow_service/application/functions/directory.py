"""Which functions there are: those of the operator, and those of workers."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from chassis.clock import Clock
from chassis.errors import FieldProblem, Invalid, RateLimited
from workflow_service.application.functions.dispatch import Dispatcher
from workflow_service.application.functions.links import Declared, Link
from workflow_service.application.ports import (
    FunctionRecord,
    Functions,
    LocalFunction,
    Page,
)
from workflow_service.domain.definition.json_schemas import (
    CompiledSchema,
    SchemaUnusable,
    compile_schema,
)
from workflow_service.domain.definition.served import Served, is_function_version, is_name
from workflow_service.domain.execution.effects import FunctionCall
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.semver import precedence

MOST_OF_TENANT: Final = 1000
MOST_OF_WORKER: Final = 200
MOST_AT_ONCE: Final = 1000
LARGEST_SCHEMA: Final = 64 * 1024
_LONGEST_ID: Final = 128
_Place = tuple[str, str, str]
_places = msgspec.json.Decoder(_Place)


class TooManyFunctions(RateLimited):
    """A tenant has as many functions as it may."""


class DeclarationInvalid(Invalid):
    """A worker declares what cannot be."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a worker says about itself."""

    worker: str
    functions: Sequence[LocalFunction]
    concurrency: int


class FunctionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A function as lists show it."""

    name: str
    version: str
    kind: Literal["in-process", "worker"]
    input_schema: bytes
    output_schema: bytes
    connected_workers: int = 0
    last_seen_at: datetime | None = None


class Directory:
    """What can be called, by whom it is served, and whether anybody is there to serve it."""

    def __init__(
        self,
        local: Sequence[LocalFunction],
        store: Functions,
        dispatcher: Dispatcher,
        clock: Clock,
    ) -> None:
        self._local: Mapping[tuple[str, str], LocalFunction] = {
            (each.name, each.version): each for each in local
        }
        self._newest: Mapping[str, LocalFunction] = {
            name: max(
                (each for each in local if each.name == name),
                key=lambda each: precedence(each.version),
            )
            for name in {each.name for each in local}
        }
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock

    def local(self, call: FunctionCall) -> LocalFunction | None:
        """Return the function of this process that *call* calls: that version, or the newest."""
        if call.version:
            return self._local.get((call.name, call.version))
        return self._newest.get(call.name)

    def lacks(self, call: FunctionCall) -> bool:
        """Whether nobody is there to serve *call*."""
        return self.local(call) is None and self._dispatcher.lacks(call)

    async def served(self, tenant: str, owner: str) -> Served:
        """Return what definitions of *owner* may call."""
        found: dict[str, frozenset[str]] = {}
        for name, version in (*self._local, *await self._store.names(tenant, owner)):
            found[name] = found.get(name, frozenset()) | {version}
        return found

    async def declare(
        self, declaration: Declaration, *, tenant: str, principal: str, everybody: bool
    ) -> Link:
        """Keep what a worker declares; return its link, not yet connected.

        Raises:
            DeclarationInvalid: with everything that is wrong.
            TooManyFunctions: the tenant has as many as it may.
            Unavailable: the store cannot keep it now.
        """
        functions = await asyncio.to_thread(_checked, declaration)
        link = Link(
            worker=declaration.worker,
            principal=principal,
            tenant=tenant,
            everybody=everybody,
            functions={(each.name, each.version): each for each in functions},
            concurrency=declaration.concurrency,
        )
        await self.seen(link, declaration.functions)
        return link

    async def seen(self, link: Link, functions: Sequence[LocalFunction]) -> None:
        """Keep that *functions* are served by *link* at this moment.

        Raises:
            TooManyFunctions: the tenant has as many as it may.
        """
        now, owner = self._clock.now(), "" if link.everybody else link.principal
        records = [
            FunctionRecord(
                tenant=link.tenant,
                owner=owner,
                name=each.name,
                version=each.version,
                input_schema=each.input_schema,
                output_schema=each.output_schema,
                last_seen_at=now,
            )
            for each in functions
        ]
        if not await self._store.declare(records, MOST_OF_TENANT):
            raise TooManyFunctions(f"there may be {MOST_OF_TENANT} functions", retry_after=60.0)

    async def list(
        self, tenant: str, owner: str | None, limit: int, cursor: str | None
    ) -> Page[FunctionShown]:
        """Return functions by name and version, those of this process first.

        Raises:
            Invalid: no list returned this cursor.
        """
        items = [_shown_local(each) for _, each in sorted(self._local.items())]
        start, after = _read_cursor(cursor)
        page = items[start : start + limit] if after is None else []
        room = limit - len(page)
        found = await self._store.list(tenant, owner, room + 1, after)
        page += [self._shown(each) for each in found[:room]]
        if after is None and start + limit < len(items):
            return Page(tuple(page), _cursor(start + limit, None))
        if len(found) <= room:
            return Page(tuple(page))
        last = found[room - 1] if room else None
        place = None if last is None else (last.name, last.version, last.owner)
        return Page(tuple(page), _cursor(len(items), place))

    def _shown(self, record: FunctionRecord) -> FunctionShown:
        workers = self._dispatcher.workers(record.tenant, record.owner, record.name, record.version)
        return FunctionShown(
            name=record.name,
            version=record.version,
            kind="worker",
            input_schema=record.input_schema,
            output_schema=record.output_schema,
            connected_workers=workers,
            last_seen_at=self._clock.now() if workers else record.last_seen_at,
        )


def _shown_local(function: LocalFunction) -> FunctionShown:
    return FunctionShown(
        name=function.name,
        version=function.version,
        kind="in-process",
        input_schema=function.input_schema,
        output_schema=function.output_schema,
    )


def _cursor(start: int, after: _Place | None) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((start, after))).decode().rstrip("=")


_cursors = msgspec.json.Decoder(tuple[int, _Place | None])


def _read_cursor(cursor: str | None) -> tuple[int, _Place | None]:
    if cursor is None:
        return 0, None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        start, after = _cursors.decode(text)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        problem = FieldProblem("cursor", "is none that a list of functions returned")
        raise Invalid("the list cannot be continued", details=[problem]) from exc
    return max(0, start), after


def _checked(declaration: Declaration) -> list[Declared]:
    problems: list[FieldProblem] = []
    worker = declaration.worker
    if not 0 < len(worker) <= _LONGEST_ID or not worker.isprintable():
        problems.append(FieldProblem("worker_id", f"must have 1 to {_LONGEST_ID} characters"))
    if not 1 <= declaration.concurrency <= MOST_AT_ONCE:
        problems.append(FieldProblem("concurrency", f"must be from 1 to {MOST_AT_ONCE}"))
    if not 1 <= len(declaration.functions) <= MOST_OF_WORKER:
        problems.append(FieldProblem("functions", f"must be from 1 to {MOST_OF_WORKER}"))
    functions = [
        _function(each, f"functions[{index}]", problems)
        for index, each in enumerate(declaration.functions[:MOST_OF_WORKER])
    ]
    if len({(each.name, each.version) for each in functions}) < len(functions):
        problems.append(FieldProblem("functions", "each version once, please"))
    if problems:
        raise DeclarationInvalid("the worker cannot be connected", details=problems)
    return functions


def _function(function: LocalFunction, place: str, problems: list[FieldProblem]) -> Declared:
    if not is_name(function.name):
        problems.append(FieldProblem(f"{place}.name", "must be letters, digits, '.', '_' and '-'"))
    if not is_function_version(function.version):
        problems.append(FieldProblem(f"{place}.version", "must be a semantic version: 1.0.0"))
    schemas: list[CompiledSchema | None] = []
    for name, text in (("input", function.input_schema), ("output", function.output_schema)):
        try:
            schemas.append(schema_of(text))
        except SchemaUnusable as exc:
            problems.append(FieldProblem(f"{place}.{name}_schema", str(exc)))
            schemas.append(None)
    return Declared(function.name, function.version, *schemas)


def schema_of(text: bytes) -> CompiledSchema | None:
    """Compile a declared schema; None when nothing is declared.

    Raises:
        SchemaUnusable: it is too large, no JSON, or no schema.
    """
    if not text:
        return None
    if len(text) > LARGEST_SCHEMA:
        raise SchemaUnusable(f"is larger than {LARGEST_SCHEMA} bytes", "")
    try:
        schema: JsonValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise SchemaUnusable("is not JSON", "") from exc
    return compile_schema(schema)
