"""Finds the functions that the operator serves: by entry points, and by name in a setting.

A function is anything that can be called with (arguments, context) and bears ``__autoworker_function__``, which says its
name, version and schemas; ``autoworker.functions.function`` puts it there. Nothing of that package is needed here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

import msgspec

from workflow_service.application.functions.directory import schema_of
from workflow_service.application.ports import LocalFunction
from workflow_service.domain.definition.json_schemas import CompiledSchema, SchemaUnusable
from workflow_service.domain.definition.served import is_function_version, is_name

GROUP: Final = "autoworker.functions"
MARK: Final = "__autoworker_function__"


class FunctionUnusable(ValueError):
    """Something that the operator wants to serve cannot be served; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A function of this process, ready to be called."""

    function: LocalFunction
    call: Callable[[Any, Any], Any]
    is_async: bool
    input_schema: CompiledSchema | None
    output_schema: CompiledSchema | None


def load(names: Sequence[str]) -> list[Loaded]:
    """Return the functions of every entry point, and those that *names* (``module:attribute``) name.

    Raises:
        FunctionUnusable: one cannot be found or served, or two are the same version of the same.
    """
    loaded: dict[tuple[str, str], Loaded] = {}
    for place, found in (*_of_entry_points(), *_of_names(names)):
        for each in found if isinstance(found, list | tuple) else (found,):
            one = _loaded(each, place)
            if (known := loaded.setdefault(_key(one), one)).call is not one.call:
                raise FunctionUnusable(f"{place}: {known.function.name} is served twice")
    return list(loaded.values())


def _key(loaded: Loaded) -> tuple[str, str]:
    return loaded.function.name, loaded.function.version


def _of_entry_points() -> Iterator[tuple[str, object]]:
    for entry in entry_points(group=GROUP):
        try:
            yield f"entry point {entry.name}", entry.load()
        except Exception as exc:
            raise FunctionUnusable(f"entry point {entry.name} cannot be loaded: {exc}") from exc


def _of_names(names: Iterable[str]) -> Iterator[tuple[str, object]]:
    for name in names:
        module, colon, attribute = name.partition(":")
        if not (module and colon and attribute):
            raise FunctionUnusable(f"{name} must have the form module:attribute")
        try:
            yield name, getattr(import_module(module), attribute)
        except Exception as exc:
            raise FunctionUnusable(f"{name} cannot be loaded: {exc}") from exc


def _loaded(call: object, place: str) -> Loaded:
    mark = getattr(call, MARK, None)
    if mark is None or not callable(call):
        raise FunctionUnusable(f"{place} is no function: decorate it with autoworker's @function")
    name, version = str(getattr(mark, "name", "")), str(getattr(mark, "version", ""))
    if not is_name(name) or not is_function_version(version):
        raise FunctionUnusable(f"{place}: {name!r} or its version {version!r} cannot be a name")
    schemas = [_schema_text(getattr(mark, side, None)) for side in ("input", "output")]
    try:
        compiled = [schema_of(text) for text in schemas]
    except SchemaUnusable as exc:
        raise FunctionUnusable(f"{place}: a schema of {name} {exc}") from exc
    is_async = inspect.iscoroutinefunction(call)
    return Loaded(LocalFunction(name, version, *schemas), call, is_async, *compiled)


def _schema_text(schema: object) -> bytes:
    return b"" if schema is None else msgspec.json.encode(schema)
